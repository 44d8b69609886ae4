import type { Unevaluated } from "../model/world.ts";
import { at, type Field, items, keysOf, optionalText, present } from "./field.ts";
import { type Opened, objectText } from "./object.ts";

/** Whether some rule of a policy lets anybody through, as far as can be told without evaluating it. */
type Opens = (root: Field) => boolean;

/** Cilium: any rule that says anything; one without fields is there for default deny. `specs` holds several. */
const ciliumOpens: Opens = (root) =>
  [at(root, "spec"), ...items(at(root, "specs"))].some((spec) =>
    [...items(at(spec, "ingress")), ...items(at(spec, "egress"))].some((rule) => keysOf(rule).length > 0),
  );

/** Calico: any rule that does not deny; what passes it on may open further down. */
const calicoOpens: Opens = (root) =>
  [...items(at(root, "spec", "ingress")), ...items(at(root, "spec", "egress"))].some(
    (rule) => !["Deny", "Log"].includes(optionalText(at(rule, "action")) ?? ""),
  );

/** Istio: an ALLOW, which an AuthorizationPolicy is where it says nothing else, with a rule. */
const istioOpens: Opens = (root) =>
  (optionalText(at(root, "spec", "action")) ?? "ALLOW") === "ALLOW" && items(at(root, "spec", "rules")).length > 0;

type Row = { readonly plane: Unevaluated["plane"]; readonly namespaced: boolean; readonly opens: Opens };

const CALICO: Row = { plane: "calico", namespaced: true, opens: calicoOpens };

/** Policies of data planes that are not evaluated here; where one is present, an answer may be wider than the truth. */
const KINDS: Readonly<Record<string, Row>> = {
  "cilium.io/CiliumNetworkPolicy": { plane: "cilium", namespaced: true, opens: ciliumOpens },
  "cilium.io/CiliumClusterwideNetworkPolicy": { plane: "cilium", namespaced: false, opens: ciliumOpens },
  "projectcalico.org/NetworkPolicy": CALICO,
  "projectcalico.org/GlobalNetworkPolicy": { ...CALICO, namespaced: false },
  "crd.projectcalico.org/NetworkPolicy": CALICO,
  "crd.projectcalico.org/GlobalNetworkPolicy": { ...CALICO, namespaced: false },
  "security.istio.io/AuthorizationPolicy": { plane: "istio", namespaced: true, opens: istioOpens },
};

const rowOf = ({ group, kind }: Pick<Opened, "group" | "kind">): Row | undefined => KINDS[`${group}/${kind}`];

/** Whether an object is a policy of a data plane that is not evaluated. */
export const isUnevaluated = (opened: Pick<Opened, "group" | "kind">): boolean => rowOf(opened) !== undefined;

/** A policy that is not evaluated and may let somebody through. */
export function unevaluatedIn(opened: Opened): readonly Unevaluated[] {
  const row = rowOf(opened);
  if (!row?.opens(opened.root)) return [];
  const named = present(at(opened.root, "metadata", "namespace"));
  const text = named || row.namespaced ? objectText(opened) : `${opened.kind} ${opened.name}`;
  return [{ text, plane: row.plane, ...(row.namespaced ? { namespace: opened.namespace } : {}) }];
}

/** Kinds that are evaluated where they can be read, and that open the doors of the Pod network. */
const EVALUATED: ReadonlySet<string> = new Set([
  "networking.k8s.io/NetworkPolicy",
  "policy.networking.k8s.io/AdminNetworkPolicy",
  "policy.networking.k8s.io/BaselineAdminNetworkPolicy",
  "policy.networking.k8s.io/ClusterNetworkPolicy",
]);

/** Policies of a kind that may not be read: there may be some that let somebody through. */
export function unreadKind(resource: Pick<Opened, "group" | "kind">): readonly Unevaluated[] {
  const { group, kind } = resource;
  const plane = EVALUATED.has(`${group}/${kind}`) ? "kubernetes" : rowOf(resource)?.plane;
  return plane === undefined ? [] : [{ text: `every ${kind} of ${group}, which may not be read`, plane }];
}
