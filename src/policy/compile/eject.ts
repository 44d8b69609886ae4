import type { WorkloadEnd } from "../../domain/flow.ts";
import type { LabelSelector, Labels } from "../../domain/label-selector.ts";
import { selects } from "../../domain/label-selector.ts";
import { isReservedLabel } from "../../domain/reserved-keys.ts";
import { ok, type Result } from "../../domain/problem.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import { isInside } from "../model/endpoint.ts";
import type { Order } from "./compile.ts";
import { compare } from "./compare.ts";
import { doorsOf } from "./doors.ts";
import { lossesOf } from "./explain.ts";
import type { Loss } from "./loss.ts";
import { NETWORK_POLICY, networkPolicies } from "./network-policy.ts";
import type { Rendered } from "./rendered.ts";
import { load } from "./targets.ts";

/** NetworkPolicies that work without Signet, and in what they differ from the sentences. */
export type Ejected = { readonly objects: readonly Rendered[]; readonly differs: readonly Loss[] };

/**
 * Writes the sentences as NetworkPolicies that select by the labels that the workloads bring themselves, with no label or
 * annotation of ours, and judges them over those workloads without their stamps.
 */
export function eject(order: Order): Result<Ejected> {
  const { intent, members, now } = order;
  const site = { ...order.site, plain: (cell: Cellular) => ownLabels(members, cell) };
  const objects = networkPolicies(doorsOf(intent, site, now)).map(plainObject);
  const loaded = load(new Map([[NETWORK_POLICY, objects]]), order.foreign);
  if (!loaded.ok) return loaded;
  const { planes } = loaded.value;
  const field = { workloads: members.map(unstamped), sources: [], destinations: [] };
  const judged = {
    intent,
    now,
    target: NETWORK_POLICY,
    planes: planes.map(({ plane }) => plane),
    own: planes.map(({ own }) => own),
  };
  return ok({ objects, differs: lossesOf(compare(judged, field)) });
}

type Cellular = { readonly namespace?: string; readonly role?: string };

/** Labels that rollouts write, which the next one changes. */
const PASSING = new Set([
  "pod-template-hash",
  "controller-revision-hash",
  "pod-template-generation",
  "statefulset.kubernetes.io/pod-name",
]);

/** Labels that all workloads of a role bring and no other of the namespace has together; undefined where there are none. */
function ownLabels(
  members: readonly EffectiveEnd<WorkloadEnd>[],
  { namespace, role }: Cellular,
): LabelSelector | undefined {
  const near = members.filter(({ end }) => end.namespace === namespace);
  const [holders, others] = [true, false].map((wanted) =>
    near.filter(({ end }) => (end.role === role) === wanted).map(labelsOf),
  );
  const [first, ...rest] = holders ?? [];
  if (!first) return undefined;
  const common = Object.entries(first).filter(([key, value]) => rest.every((labels) => labels[key] === value));
  const selector: LabelSelector = common
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key, operator: "In", values: [value] }));
  const isTheirs = selector.length === 0 || (others ?? []).some((labels) => selects(selector, labels));
  return isTheirs ? undefined : selector;
}

const labelsOf = ({ endpoint }: EffectiveEnd): Labels =>
  isInside(endpoint)
    ? Object.fromEntries(
        Object.entries(endpoint.traits.labels).filter(([key]) => !isReservedLabel(key) && !PASSING.has(key)),
      )
    : {};

const unstamped = ({ end, endpoint }: EffectiveEnd<WorkloadEnd>): EffectiveEnd<WorkloadEnd> =>
  isInside(endpoint)
    ? { end, endpoint: { ...endpoint, traits: { ...endpoint.traits, labels: labelsOf({ end, endpoint }) } } }
    : { end, endpoint };

/** The object under a name that does not speak of us, without labels and annotations. */
const plainObject = ({ metadata: { name, namespace }, ...object }: Rendered): Rendered => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  metadata: {
    name: name === "signet" ? "default-deny" : name.replace(/^signet-(role-)?/, "allow-"),
    ...(namespace === undefined ? {} : { namespace }),
    labels: {},
  },
  spec: object.spec,
});
