import { canonical } from "../../policy/compile/published.ts";
import { type Rendered, shortHash } from "../../policy/compile/rendered.ts";

/** One write to the cluster, and what it is for. `apply` writes the whole object. */
export type Write = {
  readonly verb: "apply" | "delete";
  readonly object: Rendered;
  readonly why: "add" | "widen before narrowing" | "mend" | "narrow" | "remove" | "stand in" | "annotate";
};

/** An object's name among all. */
export const objectKey = ({ kind, metadata }: Pick<Rendered, "kind" | "metadata">): string =>
  `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;

/** The lists of a spec that hold rules; all else says whom they are for. */
const RULES = ["ingress", "egress", "ingressDeny", "egressDeny", "rules"] as const;

/** Most rules of one list in the tiered kinds. */
const MOST_RULES = 25;

/**
 * Orders the writes from one set of objects to another so that between any two of them nobody passes whom neither set lets
 * through, and nobody is stopped whom both let through. First every object holds the rules of both sets, and what is new
 * stands; then each loses the rules of the old set, and what is old goes. What closes a workload comes before what opens
 * another, as doors close only in the first half and open only in the second. What somebody else wrote into an object is no
 * rule of either set: those of these keys are replaced whole, between the halves.
 */
export function orderWrites(
  before: readonly Rendered[],
  after: readonly Rendered[],
  edited: ReadonlySet<string> = new Set(),
): readonly Write[] {
  const old = new Map(before.map((object) => [objectKey(object), object]));
  const next = new Map(after.map((object) => [objectKey(object), object]));
  const changed = after.filter((object) => {
    const was = old.get(objectKey(object));
    return was !== undefined && specKey(was) !== specKey(object);
  });
  const first = sorted(after, 1).flatMap((object): readonly Write[] => {
    const was = old.get(objectKey(object));
    if (!was) return [{ verb: "apply", object, why: "add" }];
    return changed.includes(object) && !edited.has(objectKey(object)) ? bothOf(was, object) : [];
  });
  const mended = changed.filter((object) => edited.has(objectKey(object)));
  const narrowed = changed.filter((object) => !mended.includes(object));
  const standIns = first.filter(({ why }) => why === "stand in");
  return [
    ...first,
    ...mended.map((object): Write => ({ verb: "apply", object, why: "mend" })),
    ...narrowed.map((object): Write => ({ verb: "apply", object, why: "narrow" })),
    ...sorted(before, -1)
      .filter((object) => !next.has(objectKey(object)))
      .map(removed),
    ...standIns.map(({ object }) => removed(object)),
  ].filter((write, index, all) => !isIdle(write, all[index - 1]));
}

/**
 * How many workloads an object closes: what closes a whole namespace comes after those that let its roles through, and goes
 * before them.
 */
const breadth = ({ metadata: { name } }: Rendered): number => BREADTHS.findIndex((one) => one.test(name));

const BREADTHS = [/^signet-(?!nobody$|baseline$)/, /^signet-nobody$/, /^signet$/, /^signet-baseline$|^default$/, /./];

const sorted = (objects: readonly Rendered[], sign: 1 | -1): readonly Rendered[] =>
  objects.toSorted((a, b) => sign * (breadth(a) - breadth(b)));

const removed = (object: Rendered): Write => ({ verb: "delete", object, why: "remove" });

/** A write that leaves what the one before it wrote. */
const isIdle = (write: Write, last: Write | undefined): boolean =>
  last?.verb === "apply" && write.verb === "apply" && JSON.stringify(last.object) === JSON.stringify(write.object);

const specKey = ({ spec }: Rendered): string => canonical(spec);

/** One object with the rules of both; where it is for others now, the new one stands beside it under another name. */
function bothOf(was: Rendered, is: Rendered): readonly Write[] {
  const [left, right] = [fieldsOf(was.spec), fieldsOf(is.spec)];
  const spec: Record<string, unknown> = { ...right };
  for (const name of RULES) {
    const rules = [
      ...new Map([...listOf(left[name]), ...listOf(right[name])].map((rule) => [canonical(rule), rule])).values(),
    ];
    if (rules.length > 0) spec[name] = rules;
  }
  const tooLong = isTiered(is) && RULES.some((name) => listOf(spec[name]).length > MOST_RULES);
  if (!tooLong && targetKey(left) === targetKey(right))
    return [{ verb: "apply", object: { ...is, spec }, why: "widen before narrowing" }];
  const metadata = { ...is.metadata, name: `${is.metadata.name}-${shortHash(specKey(is))}` };
  return [{ verb: "apply", object: { ...is, metadata, spec: withFreePriority(right) }, why: "stand in" }];
}

const isTiered = ({ apiVersion }: Rendered): boolean => apiVersion.startsWith("policy.networking.k8s.io/");

const fieldsOf = (spec: unknown): Readonly<Record<string, unknown>> =>
  typeof spec === "object" && spec !== null ? { ...spec } : {};

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Whom the rules are for: everything of a spec but the rules. */
const targetKey = (spec: Readonly<Record<string, unknown>>): string =>
  canonical(Object.fromEntries(Object.entries(spec).filter(([key]) => !RULES.some((rule) => rule === key))));

/** Two of one priority are undefined to some; all of ours deny, so any other will do while it stands in. */
const withFreePriority = (spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  typeof spec["priority"] === "number" ? { ...spec, priority: spec["priority"] === 99 ? 98 : 99 } : spec;
