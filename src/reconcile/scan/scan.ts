import type { Problem } from "../../domain/problem.ts";
import type { ProblemCode } from "../../domain/problem-codes.ts";
import type { Workload } from "../../domain/workload.ts";
import type { Judgement } from "../pods/seen.ts";

/** A workload that runs, or an object that speaks for some, and what admission would say of it now. */
export type Scanned = {
  readonly object: Pick<Workload["object"], "apiVersion" | "kind" | "namespace" | "name"> & { readonly uid: string };
  readonly judgement: Pick<Judgement, "identity" | "findings" | "enrolled">;
  /** What was found besides by looking at what runs: a stamp that is missing. */
  readonly besides?: readonly Problem[];
  /** False: it speaks for workloads and is none. */
  readonly runs?: boolean;
};

/** Whether its next start is refused, is warned of, or passes. */
export type Outcome = "fail" | "warn" | "pass";

/** Workloads of one namespace of which the same is said. */
export type ScanGroup = {
  readonly outcome: Exclude<Outcome, "pass">;
  readonly code: ProblemCode;
  readonly message: string;
  /** Empty where no role fits. */
  readonly role: string;
  readonly segment: string;
  readonly count: number;
  /** The first of them by name. */
  readonly examples: readonly Scanned["object"][];
};

/** What a scan found in one namespace. */
export type NamespaceScan = {
  readonly namespace: string;
  readonly counts: Readonly<Record<Outcome, number>>;
  readonly groups: readonly ScanGroup[];
};

type Found = Omit<ScanGroup, "count" | "examples">;
type Known = {
  readonly object: Scanned["object"];
  readonly outcome: Outcome;
  readonly role: string;
  readonly segment: string;
  readonly found: readonly Found[];
  readonly runs: boolean;
};

/** One workload, what it came to, and why. */
export type ScannedWorkload = Known;

/** How many workloads a group names; it counts them all. */
const EXAMPLES = 10;

/**
 * What is known of everything that runs, and of what it is made of, namespace by namespace. Takes one workload at a time, so that a round costs what
 * changed; namespaces that are neither enrolled nor hold a role are left out.
 */
export class Scan {
  readonly #byNamespace = new Map<string, Map<string, Known>>();
  readonly #namespaceOf = new Map<string, string>();
  readonly #changed = new Set<string>();

  look(scanned: Scanned): void {
    const { judgement, object } = scanned;
    if (!judgement.enrolled && !judgement.identity) return this.forget(object.uid);
    const now = knownOf(scanned);
    const known = this.#byNamespace.get(object.namespace) ?? new Map<string, Known>();
    const before = known.get(object.uid);
    if (before && isSame(before, now)) return;
    this.#byNamespace.set(object.namespace, known.set(object.uid, now));
    this.#namespaceOf.set(object.uid, object.namespace);
    this.#changed.add(object.namespace);
  }

  /** The workload is gone, or is nobody's concern. */
  forget(uid: string): void {
    const namespace = this.#namespaceOf.get(uid);
    if (namespace === undefined) return;
    this.#namespaceOf.delete(uid);
    const known = this.#byNamespace.get(namespace);
    known?.delete(uid);
    if (known?.size === 0) this.#byNamespace.delete(namespace);
    this.#changed.add(namespace);
  }

  /** Namespaces of which something else is to be said than at the last call. */
  takeChanged(): ReadonlySet<string> {
    const taken = new Set(this.#changed);
    this.#changed.clear();
    return taken;
  }

  /** Names of the namespaces of which something is known, sorted. */
  namespaces(): readonly string[] {
    return [...this.#byNamespace.keys()].sort();
  }

  /** What is known of a namespace; undefined where nothing runs there. */
  of(namespace: string): NamespaceScan | undefined {
    const known = this.#byNamespace.get(namespace);
    if (!known) return undefined;
    const workloads = sorted(known);
    const counts = { pass: 0, warn: 0, fail: 0 };
    for (const { outcome } of workloads) counts[outcome] += 1;
    return { namespace, counts, groups: groupsOf(workloads) };
  }

  /** Every workload of a namespace by name, with all that is found of it. */
  workloads(namespace: string): readonly ScannedWorkload[] {
    return sorted(this.#byNamespace.get(namespace));
  }

  /** The same counts for each segment, of what runs. */
  bySegment(): ReadonlyMap<string, Readonly<Record<Outcome, number>>> {
    const counts = new Map<string, Record<Outcome, number>>();
    for (const known of this.#byNamespace.values())
      for (const { segment, outcome, runs } of known.values()) {
        if (!runs) continue;
        const own = counts.get(segment) ?? { pass: 0, warn: 0, fail: 0 };
        own[outcome] += 1;
        counts.set(segment, own);
      }
    return counts;
  }

  /** How many workloads that run pass, are warned of, fail. */
  counts(): Readonly<Record<Outcome, number>> {
    const counts = { pass: 0, warn: 0, fail: 0 };
    for (const known of this.#byNamespace.values())
      for (const { outcome, runs } of known.values()) if (runs) counts[outcome] += 1;
    return counts;
  }
}

const sorted = (known: ReadonlyMap<string, Known> = new Map()): readonly Known[] =>
  [...known.values()].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));

const nameOf = ({ object: { kind, name } }: Known): string => `${name} ${kind}`;

function knownOf({ object, judgement, besides = [], runs = true }: Scanned): Known {
  const { identity, findings } = judgement;
  const whose = { role: identity?.role.name ?? "", segment: identity?.segment.name ?? "" };
  const told = new Set(findings.map(({ problem }) => problem.code));
  const found = [
    ...findings.map(({ problem, refuses }): Found => foundOf(problem, refuses ? "fail" : "warn", whose)),
    ...besides.filter(({ code }) => !told.has(code)).map((problem): Found => foundOf(problem, "warn", whose)),
  ];
  const { apiVersion, kind, namespace, name, uid } = object;
  const outcome = found.some((each) => each.outcome === "fail") ? "fail" : found.length > 0 ? "warn" : "pass";
  return { object: { apiVersion, kind, namespace, name, uid }, outcome, ...whose, found, runs };
}

const foundOf = (
  { code, message }: Problem,
  outcome: Found["outcome"],
  whose: Pick<Found, "role" | "segment">,
): Found => ({
  outcome,
  code,
  message,
  ...whose,
});

const isSame = (a: Known, b: Known): boolean =>
  a.found.length === b.found.length &&
  a.object.name === b.object.name &&
  a.role === b.role &&
  a.segment === b.segment &&
  a.found.every((one, index) => keyOf(one) === keyOf(b.found[index] ?? one) && one.message === b.found[index]?.message);

/** Refusals first, then by code and role. */
const keyOf = ({ outcome, code, role }: Found): string => `${outcome} ${code} ${role}`;

function groupsOf(workloads: readonly Known[]): readonly ScanGroup[] {
  const groups = new Map<string, { readonly first: Found; readonly members: Scanned["object"][] }>();
  for (const { object, found } of workloads)
    for (const one of found) {
      const group = groups.get(keyOf(one));
      if (group?.members.at(-1) === object) continue;
      if (group) group.members.push(object);
      else groups.set(keyOf(one), { first: one, members: [object] });
    }
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { first, members }]) => ({ ...first, count: members.length, examples: members.slice(0, EXAMPLES) }));
}
