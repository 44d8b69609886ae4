import type { Catalogue, NamespaceView } from "../../domain/catalogue.ts";
import type { Role, Segment } from "../../domain/definitions.ts";
import type { WorkloadEnd } from "../../domain/flow.ts";
import type { LabelRequirement, LabelSelector, Labels } from "../../domain/label-selector.ts";
import type { Peer } from "../../domain/sentences.ts";
import type { Intent } from "../intent/intent.ts";

/**
 * All workloads that a data plane can tell apart by the stamp and the namespace, as one: the holders of a role in a
 * namespace, or those without a role there. `end` stands for them. Without `namespace` it is every namespace that no
 * definition speaks of.
 */
export type Cell = {
  readonly end: WorkloadEnd;
  readonly namespace?: string;
  readonly role?: string;
  /** What else its Pods carry: the labels that a peer asks for, or those of a workload that a canary names. */
  readonly labels: LabelSelector;
};

/** A workload that the canary of its segment names, and the labels by which its Pods are told from others. */
export type CanaryWorkload = { readonly namespace: string; readonly role: string; readonly labels: Labels };

/** Every cell of an intent, in order: by namespace roles, canaries, then nobodies; last the rest of the cluster. */
export function cellsOf(intent: Intent, canaries: readonly CanaryWorkload[]): readonly Cell[] {
  const peers = namespacePeers(intent);
  const names = new Set([...intent.catalogue.namespaces.keys(), ...peers.map(({ name }) => name)]);
  const cells = [...names].sort().flatMap((name) => {
    const view = intent.catalogue.namespaces.get(name);
    return [
      ...(view?.roles ?? []).map((role) => roleCell(intent.catalogue, role, name)),
      ...canaries.filter(({ namespace }) => namespace === name).flatMap((one) => canaryCells(intent.catalogue, one)),
      nobodyCell(name, []),
      ...peers
        .filter((peer) => peer.name === name && peer.podLabels.length > 0)
        .map(({ podLabels }) => nobodyCell(name, podLabels)),
    ];
  });
  return [...cells, { end: nobody("", {}), labels: [] }];
}

/** Whether a namespace can hold a role at all, so that its nobodies must be told from holders. */
export const holdsRoles = (view: NamespaceView | undefined): boolean => (view?.roles.length ?? 0) > 0;

type NamespacePeer = Extract<Peer, { by: "namespace" }>;

/** Peers that name Pods without a role; each once. Of all that sentences say, cells hang on these alone. */
export function namespacePeers(intent: Intent): readonly NamespacePeer[] {
  const found = new Map<string, NamespacePeer>();
  for (const { from, to } of intent.lines)
    for (const peer of [from, to])
      if (peer.by === "namespace") found.set(JSON.stringify([peer.name, peer.podLabels]), peer);
  return [...found.values()];
}

function roleCell(catalogue: Catalogue, role: Role, namespace: string): Cell {
  const segment = catalogue.segments.get(role.segment);
  const end: WorkloadEnd = {
    ...nobody(namespace, {}),
    role: role.name,
    segment: role.segment,
    inCanary: segment?.canary.namespaces.includes(namespace) ?? false,
    ...identityOf(catalogue, role, namespace),
    ...(segment ? valuesOf(segment) : {}),
  };
  return { end, namespace, role: role.name, labels: [] };
}

/** The identity of the first account that a role names; where it names none, which ones hold it is not known. */
function identityOf({ trustDomain }: Catalogue, { match }: Role, namespace: string) {
  const [account] = match.serviceAccounts ?? [];
  return account === undefined ? {} : { identity: `spiffe://${trustDomain}/ns/${namespace}/sa/${account}` };
}

const valuesOf = ({ environment, classification }: Segment) => ({
  ...(environment === undefined ? {} : { environment }),
  ...(classification === undefined ? {} : { classification }),
});

function canaryCells(catalogue: Catalogue, { namespace, role, labels }: CanaryWorkload): readonly Cell[] {
  const known = catalogue.roles.get(role);
  if (!known) return [];
  const cell = roleCell(catalogue, known, namespace);
  return [{ ...cell, end: { ...cell.end, inCanary: true, labels }, labels: asSelector(labels) }];
}

/** Labels as requirements, in the order of their keys. */
const asSelector = (labels: Labels): LabelSelector =>
  Object.keys(labels)
    .sort()
    .map((key) => ({ key, operator: "In", values: [labels[key] ?? ""] }));

const nobodyCell = (namespace: string, labels: LabelSelector): Cell => ({
  end: nobody(namespace, sampleLabels(labels)),
  namespace,
  labels,
});

const nobody = (namespace: string, labels: Labels): WorkloadEnd => ({
  kind: "workload",
  workloadKind: "Pod",
  object: { kind: "Pod", namespace, name: "" },
  namespace,
  labels,
  ports: [],
  inCanary: false,
});

/** Labels that meet a selector. */
const sampleLabels = (selector: LabelSelector): Labels =>
  Object.fromEntries(
    selector
      .filter(({ operator }) => operator === "In" || operator === "Exists")
      .map(({ key, values }): [string, string] => [key, values[0] ?? ""]),
  );

/** Whether no labels can meet both selectors; false where that is not plain. */
export const areDisjoint = (a: LabelSelector, b: LabelSelector): boolean =>
  a.some((left) => b.some((right) => left.key === right.key && excludes(left, right)));

const excludes = (a: LabelRequirement, b: LabelRequirement): boolean =>
  (a.operator === "In" && b.operator === "In" && !a.values.some((value) => b.values.includes(value))) ||
  (isPresent(a) && b.operator === "DoesNotExist") ||
  (isPresent(b) && a.operator === "DoesNotExist");

const isPresent = ({ operator }: LabelRequirement): boolean => operator === "In" || operator === "Exists";
