import { type Catalogue, type Definitions, inForce } from "../../domain/catalogue.ts";
import type { Exception, Segment } from "../../domain/definitions.ts";
import { capBegins } from "../../domain/exception-cap.ts";
import { isOfNamespace } from "../../domain/grants.ts";
import type { Instant } from "../../domain/instant.ts";
import type { Guardrail, Sentence, SegmentPolicy } from "../../domain/sentences.ts";
import type { Fence, Line } from "./line.ts";
import { indexLines, type LineIndex } from "./line-index.ts";
import { type QuarantineOf, quarantinesOf } from "./quarantine.ts";

/** Why a line that is written counts for nothing, whatever the instant. */
export type Idleness = "unapproved" | "segment-unknown" | "namespace-not-owned" | "namespace-other" | "role-unknown";

/** A line that counts for nothing, and why. */
export type IdleLine = { readonly line: Line; readonly because: Idleness };

/** Our kinds, compiled for questions about flows at any instant. */
export type Intent = {
  readonly catalogue: Catalogue;
  readonly denies: LineIndex;
  readonly fences: readonly Fence[];
  /** Guardrail allows, sentences and exceptions. */
  readonly opens: LineIndex;
  /** Exceptions that name both ends closely enough to cross a fence or a denial. */
  readonly crossings: LineIndex;
  readonly quarantineOf: QuarantineOf;
  /** Enrolled namespaces in which a segment is in force, with that segment: default deny selects all Pods there. */
  readonly enclosedNamespaces: ReadonlyMap<string, Segment>;
  /** Every line, in the order of the catalogue. */
  readonly lines: readonly Line[];
  readonly idle: readonly IdleLine[];
  readonly written: Written;
};

/** What every object came to. */
type Written = {
  readonly guardrails: readonly Compiled[];
  readonly policies: ReadonlyMap<SegmentPolicy, readonly Compiled[]>;
  readonly exceptions: readonly Compiled[];
};

/** A line, and why it counts for nothing where it does. */
type Compiled = { readonly line: Line; readonly because?: Idleness };

/**
 * Compiles a catalogue. What is not in force is kept aside as idle. Beside an intent of the same definitions but for some
 * policies, the lines of all others are the very same objects, so that what was made of them can be known again.
 */
export function compileIntent(catalogue: Catalogue, before?: Intent): Intent {
  const { guardrails } = catalogue.definitions;
  const known = before && differInPolicies(catalogue, before.catalogue) ? before.written : undefined;
  const written = writtenIn(catalogue, known);
  const compiled = [...written.guardrails, ...[...written.policies.values()].flat(), ...written.exceptions];
  const lines = compiled.filter(({ because }) => because === undefined).map(({ line }) => line);
  return {
    catalogue,
    denies: indexLines(lines.filter(({ kind }) => kind === "deny")),
    fences: guardrails.filter(inForce).flatMap(fencesOf),
    opens: indexLines(lines.filter(({ kind }) => kind !== "deny")),
    crossings: indexLines(lines.filter((line) => line.kind === "exception" && namesExactly(line))),
    quarantineOf: quarantinesOf(catalogue),
    enclosedNamespaces: enclosedNamespaces(catalogue),
    lines,
    idle: compiled.flatMap(({ line, because }) => (because === undefined ? [] : [{ line, because }])),
    written,
  };
}

function writtenIn(catalogue: Catalogue, known: Written | undefined): Written {
  const { guardrails, policies, exceptions } = catalogue.definitions;
  const linesOf = (policy: SegmentPolicy): readonly Compiled[] =>
    known?.policies.get(policy) ?? policy.allow.map((sentence) => sentenceLine(catalogue, policy, sentence));
  return {
    guardrails: known?.guardrails ?? guardrails.flatMap(guardrailLines),
    policies: new Map(policies.map((policy) => [policy, linesOf(policy)])),
    exceptions: known?.exceptions ?? exceptions.flatMap((exception) => exceptionLines(catalogue, exception)),
  };
}

const guardrailLines = (guardrail: Guardrail): readonly Compiled[] => [
  ...guardrail.deny.map((sentence) => ruled(guardrail, `Guardrail ${guardrail.name}`, "deny", sentence)),
  ...guardrail.allow.map((sentence) => ruled(guardrail, `Guardrail ${guardrail.name}`, "allow", sentence)),
];

/** Whether two catalogues are made of the very same definitions, their policies left aside. */
export function differInPolicies({ definitions: a }: Catalogue, { definitions: b }: Catalogue): boolean {
  const kinds = Object.keys({ ...a, ...b }) as readonly (keyof Definitions)[];
  return kinds.every((kind) => kind === "policies" || isSame(a[kind], b[kind]));
}

/** Lists are put together anew for each snapshot, of objects that stay the same until they change. */
const isSame = (a: unknown, b: unknown): boolean =>
  a === b ||
  (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((one, index) => one === b[index]));

function ruled(owner: Owner, object: string, kind: Line["kind"], sentence: Sentence): Compiled {
  const line: Line = { ...sentence, kind, object, approval: owner.approval.state };
  return inForce(owner) ? { line } : { line, because: "unapproved" };
}

type Owner = Pick<SegmentPolicy, "approval">;

const fencesOf = (guardrail: Catalogue["definitions"]["guardrails"][number]): readonly Fence[] =>
  guardrail.fences.map((dimension, index) => ({
    kind: "fence",
    dimension,
    object: `Guardrail ${guardrail.name}`,
    path: `spec.fences[${index}]`,
    approval: guardrail.approval.state,
    ...(guardrail.source ? { source: guardrail.source } : {}),
  }));

/** A sentence counts if its segment is in force and owns the namespace it is written in, and approves it where it must. */
function sentenceLine(catalogue: Catalogue, policy: SegmentPolicy, sentence: Sentence): Compiled {
  const object = `SegmentPolicy ${policy.namespace}/${policy.name}`;
  const line: Line = {
    ...sentence,
    kind: "sentence",
    object,
    segment: policy.segment,
    approval: policy.approval.state,
  };
  const segment = catalogue.segments.get(policy.segment);
  if (!segment || !inForce(segment)) return { line, because: "segment-unknown" };
  if (!ownsNamespace(catalogue, policy.segment, policy.namespace)) return { line, because: "namespace-not-owned" };
  if (segment.policyApproval === "required" && !inForce(policy)) return { line, because: "unapproved" };
  return { line };
}

/** Whether a namespace belongs to a segment. */
export const ownsNamespace = (catalogue: Catalogue, segment: string, namespace: string): boolean =>
  catalogue.namespaces.get(namespace)?.segments.some((one) => one.name === segment) ?? false;

/** An exception is granted by the segment of its role, in a namespace of that segment. */
function exceptionLines(catalogue: Catalogue, exception: Exception): readonly Compiled[] {
  if (!("sentence" in exception.permit)) return [];
  const role = catalogue.roles.get(exception.role);
  const line: Line = {
    ...exception.permit.sentence,
    kind: "exception",
    object: `SegmentException ${exception.namespace}/${exception.name}`,
    path: "spec.permit.sentence",
    approval: exception.approval.state,
    expires: exception.expires,
    why: exception.reason,
    role: exception.role,
    ...(role ? { segment: role.segment } : {}),
    ...(exception.ticket === undefined ? {} : { ticket: exception.ticket }),
    ...begin(catalogue, exception),
    ...(exception.source ? { source: exception.source } : {}),
  };
  if (!inForce(exception)) return [{ line, because: "unapproved" }];
  if (!isOfNamespace(catalogue.definitions, exception)) return [{ line, because: "namespace-other" }];
  if (!role) return [{ line, because: "role-unknown" }];
  const owned = ownsNamespace(catalogue, role.segment, exception.namespace);
  return [owned ? { line } : { line, because: "namespace-not-owned" }];
}

/** From when on it counts: one that is longer than its class allows only for its last part. */
function begin(catalogue: Catalogue, exception: Exception): { readonly notBefore?: Instant } {
  const begins = [exception.notBefore, capBegins(exception, catalogue)].filter((each) => each !== undefined);
  return begins.length === 0 ? {} : { notBefore: Math.max(...begins) };
}

/** Whether both ends are named one by one; a segment, an environment or an entity is a crowd. */
export const namesExactly = ({ from, to }: Pick<Line, "from" | "to">): boolean =>
  [from, to].every(({ by }) => !CROWDS.has(by));

const CROWDS: ReadonlySet<string> = new Set(["segment", "environment", "classification", "entity"]);

function enclosedNamespaces(catalogue: Catalogue): ReadonlyMap<string, Segment> {
  const enclosed = new Map<string, Segment>();
  for (const { name, enrolled, segments } of catalogue.namespaces.values()) {
    const segment = enrolled ? segments.find((one) => inForceThroughout(one, name)) : undefined;
    if (segment) enclosed.set(name, segment);
  }
  return enclosed;
}

/** Whether a segment is in force for all of a namespace: in mode enforce, or in a canary that names the namespace. */
const inForceThroughout = ({ mode, canary }: Segment, namespace: string): boolean =>
  mode === "enforce" || (mode === "canary" && canary.namespaces.includes(namespace));
