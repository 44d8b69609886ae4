import type { Catalogue } from "../domain/catalogue.ts";
import { SIGNET_ACCOUNT } from "../domain/exempt-namespaces.ts";
import type { Labels } from "../domain/label-selector.ts";
import { type Problem, problem } from "../domain/problem.ts";
import { isReservedAnnotation, isReservedLabel, ROLE_LABEL, STAMP_ANNOTATION } from "../domain/reserved-keys.ts";
import type { Launching, Workload } from "../domain/workload.ts";
import { deriveIdentity } from "../identity/fit-role.ts";
import { carriedStamp, sameIdentity } from "../identity/inherit.ts";
import { deviations, isOnlyOlder, stampAge } from "../identity/stamp.ts";
import type { Finding, Verdict } from "./judge.ts";
import { lineageOf } from "./launchers.ts";

/** What the findings on a stamp hang on, beside the verdict. */
export type Stamped = {
  readonly user: { readonly username: string };
  readonly workload?: Workload;
  readonly oldWorkload?: Workload;
  readonly launching?: Launching;
  readonly superseded?: Labels;
};

/** A VirtualMachine, which may run or not; what runs is its instance. */
export const isMachineObject = ({ object }: Workload): boolean => object.kind === "VirtualMachine";

/** A machine that runs. */
export const isInstance = ({ object }: Workload): boolean => object.kind === "VirtualMachineInstance";

/**
 * At creation: a missing stamp means mutation did not answer; a wrong one was put there by somebody. A launcher's comes from
 * its instance, and is renewed if it is stale. So is the stamp of a replica that lagged, letter for letter.
 */
export function newFindings({ launching, workload, superseded }: Stamped, verdict: Verdict): readonly Finding[] {
  const lineage = launching && workload ? lineageOf(workload, launching).is : "none";
  const inherits = lineage === "launcher" || lineage === "unknown";
  if (!inherits && !(workload && isOlder(workload, superseded, verdict))) return stampFindings(verdict);
  return verdict.deviations.length > 0 ? [{ problem: STAMP_STALE, refuses: false }] : [];
}

/** Whether a stamp was right before: a machine's of the same identity, anybody's as it was given here. */
const isOlder = (workload: Workload, superseded: Labels | undefined, verdict: Verdict): boolean =>
  (workload.kind === "VirtualMachine" && isStale(workload, verdict)) || isSuperseded(workload, superseded, verdict);

/** Whether a workload's stamp is of the same role, segment and identity at an older generation: a replica that lagged gave it. */
function isStale(machine: Workload, { stamp }: Pick<Verdict, "stamp">): boolean {
  const carried = carriedStamp(machine);
  const [was, is] = [carried?.annotations[STAMP_ANNOTATION], stamp.annotations[STAMP_ANNOTATION]];
  if (carried === undefined || was === undefined || is === undefined) return false;
  return sameIdentity(carried, stamp) && stampAge(was, is) === "older";
}

/** Whether a stamp is whole, of this identity, and as it was given until another generation came. */
function isSuperseded(workload: Workload, labels: Labels | undefined, { stamp }: Verdict): boolean {
  const carried = workload.ownAnnotations[STAMP_ANNOTATION];
  if (labels === undefined || carried === undefined || !isStale(workload, { stamp })) return false;
  const was = { labels, annotations: { ...stamp.annotations, [STAMP_ANNOTATION]: carried } };
  const own = { labels: workload.ownLabels, annotations: workload.ownAnnotations };
  return deviations(own, was, isReservedLabel).length === 0;
}

const STAMP_STALE = problem("STAMP_MISSING", "metadata", "Its stamp is not the newest; it is renewed while it runs.");

function stampFindings(verdict: Verdict): readonly Finding[] {
  if (isOnlyOlder(verdict.deviations)) return [];
  const wrong = verdict.deviations.filter(({ present }) => present !== undefined);
  const claimed = verdict.problems.some(({ code }) => code === "ROLE_NOT_ENTITLED");
  const forged = wrong
    .filter(({ key }) => !(claimed && key === ROLE_LABEL))
    .map(({ map, key }) => ({ problem: forgedKey(map, key), refuses: true }));
  if (claimed || verdict.deviations.length === wrong.length) return forged;
  return [...forged, { problem: STAMP_MISSING, refuses: verdict.enrolled }];
}

const STAMP_MISSING = problem(
  "STAMP_MISSING",
  "metadata",
  "The workload was not stamped: mutation did not answer, or was not asked.",
  "Create it again once Signet's mutating webhook answers.",
);

const forgedKey = (map: string, key: string): Problem =>
  problem(
    "FORGED",
    `metadata.${map}.${key}`,
    `The reserved key ${key} has a value that Signet did not give it.`,
    "Take it out of the manifest; only Signet writes it.",
  );

/** At a change: nobody but Signet touches a stamp, and labels that would lead to another role need a new workload. */
export function changeFindings(
  catalogue: Catalogue,
  request: Stamped,
  workload: Workload,
  verdict: Verdict,
): readonly Finding[] {
  const old = request.oldWorkload;
  if (!old) return [];
  if (isMachineObject(workload)) return machineFindings(old, verdict);
  const forged = request.user.username === SIGNET_ACCOUNT ? [] : stampChanges(old, workload);
  const runs = (workload.kind === "Pod" && !request.launching) || isInstance(workload);
  const changed = runs ? roleChanged(catalogue, old, verdict.identity?.role.name) : undefined;
  return changed ? [...forged, { problem: changed, refuses: verdict.enrolled }] : forged;
}

function roleChanged(catalogue: Catalogue, old: Workload, after: string | undefined): Problem | undefined {
  const before = deriveIdentity(catalogue, old);
  if (!before.ok || after === undefined || before.value.role.name === after) return undefined;
  return problem(
    "ROLE_CHANGED",
    "metadata.labels",
    `The change would make role ${before.value.role.name} of a running ${old.kind} into ${after}.`,
    "Create the workload anew with these labels.",
  );
}

/**
 * The stamp of a VirtualMachine says what its next instance will hold: mutation renews it with each change. One that mutation
 * did not reach is stale and harms nobody; what somebody wrote into it is forged.
 */
const machineFindings = (old: Workload, { deviations: found }: Verdict): readonly Finding[] =>
  found
    .filter(({ map, key, present }) => present !== undefined && present !== ownMap(old, map)[key])
    .map(({ map, key }) => ({ problem: forgedKey(map, key), refuses: true }));

const ownMap = (workload: Workload, map: "labels" | "annotations") =>
  map === "labels" ? workload.ownLabels : workload.ownAnnotations;

function stampChanges(old: Workload, now: Workload): readonly Finding[] {
  const before = {
    labels: reservedOnly(old.ownLabels, isReservedLabel),
    annotations: reservedOnly(old.ownAnnotations, isReservedAnnotation),
  };
  const own = { labels: now.ownLabels, annotations: now.ownAnnotations };
  return deviations(own, before, isReservedLabel).map(({ map, key }) => ({
    problem: forgedKey(map, key),
    refuses: true,
  }));
}

const reservedOnly = (map: Readonly<Record<string, string>>, reserved: (key: string) => boolean) =>
  Object.fromEntries(Object.entries(map).filter(([key]) => reserved(key)));
