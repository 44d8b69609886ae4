import type { Catalogue } from "../../domain/catalogue.ts";
import type { Restriction, RestrictionTarget } from "../../domain/definitions.ts";
import type { FlowEnd, WorkloadEnd } from "../../domain/flow.ts";
import type { Quarantine } from "./line.ts";

/** The quarantine that an end is under, if any. */
export type QuarantineOf = (end: FlowEnd) => Quarantine | undefined;

/** Collects the quarantines of a catalogue; they count as soon as they exist, as only lifting one needs approval. */
export function quarantinesOf(catalogue: Catalogue): QuarantineOf {
  const all = catalogue.definitions.restrictions
    .filter(({ effect }) => effect === "quarantine")
    .map((restriction) => ({ target: restriction.target, ruling: quarantine(restriction) }));
  return (end) => all.find(({ target }) => concerns(target, end))?.ruling;
}

const quarantine = (restriction: Restriction): Quarantine => ({
  kind: "quarantine",
  object: `Restriction ${restriction.name}`,
  path: "spec.target",
  approval: restriction.approval.state,
  reason: restriction.reason,
  ...(restriction.source ? { source: restriction.source } : {}),
});

/** Whether a restriction concerns an end. A serial number is no matter of flows: it names a certificate. */
export function concerns(target: RestrictionTarget, end: FlowEnd): boolean {
  if (target.by === "identity") return end.kind !== "node" && end.identity === target.name;
  if (end.kind === "node") return target.by === "node" && end.name === target.name;
  return end.kind === "workload" && concernsWorkload(target, end);
}

function concernsWorkload(target: RestrictionTarget, end: WorkloadEnd): boolean {
  if (target.by === "segment" || target.by === "role") return end[target.by] === target.name;
  if (target.by === "node") return end.node === target.name;
  if (target.by !== "pod" && target.by !== "virtualMachine") return false;
  const { object, launcher } = end;
  const pod = launcher && { ...launcher, kind: "Pod", namespace: end.namespace };
  const kinds = KINDS[target.by];
  return [object, pod].some((one) => one !== undefined && isObject(target, one, kinds));
}

const KINDS = { pod: ["Pod"], virtualMachine: ["VirtualMachine", "VirtualMachineInstance"] } as const;

/** Where either UID is not known the name decides: better one Pod too many cut off than one too few. */
function isObject(
  target: Extract<RestrictionTarget, { by: "pod" | "virtualMachine" | "node" }>,
  object: WorkloadEnd["object"],
  kinds: readonly string[],
): boolean {
  if (!kinds.includes(object.kind) || object.name !== target.name) return false;
  if (target.namespace !== undefined && target.namespace !== object.namespace) return false;
  return target.uid === undefined || object.uid === undefined || target.uid === object.uid;
}
