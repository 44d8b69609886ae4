import type { Catalogue } from "../domain/catalogue.ts";
import type { Approval, Segment } from "../domain/definitions.ts";
import { EXEMPT_NAMESPACES } from "../domain/exempt-namespaces.ts";
import type { Instant } from "../domain/instant.ts";
import { problem, type Problem, type Result } from "../domain/problem.ts";
import { isReservedLabel, isStampLabel, ROLE_LABEL } from "../domain/reserved-keys.ts";
import type { Launching, Workload } from "../domain/workload.ts";
import { candidatesOf, deriveIdentity, fitting, type Identity } from "../identity/fit-role.ts";
import { check, checkAdded } from "./checks.ts";
import { inCanary } from "../identity/canary.ts";
import { carriedStamp, inherit } from "../identity/inherit.ts";
import { lineageOf, NOT_LAUNCHING } from "./launchers.ts";
import { restrictionsOn } from "./restrictions.ts";
import { type Deviation, deviations, NO_STAMP, type Stamp, stampOf } from "../identity/stamp.ts";

/** admit: nothing to say. warn: admitted, with something to say. deny: refused. */
export type Decision = "admit" | "warn" | "deny";

/** The verdict on one workload: a pure function of (workload, catalogue, instant), so that it can be replayed. */
export type Verdict = {
  readonly decision: Decision;
  /** Absent where no one role fits. */
  readonly identity?: Identity;
  /** The stamp it gets, or has to have. */
  readonly stamp: Stamp;
  /** Reserved keys in which the object differs from its stamp. */
  readonly deviations: readonly Deviation[];
  /** How far role and segment are known to be approved; `none` where there is no role. */
  readonly approval: "approved" | "unchecked" | "none";
  readonly enrolled: boolean;
  /** Refusing ones first. */
  readonly findings: readonly Finding[];
  /** The problems of the findings, in their order. */
  readonly problems: readonly Problem[];
};

/** How to judge: at which moment, and what else counts. */
export type Terms = {
  readonly now: Instant;
  /** Whether approval that is not known refuses. */
  readonly requireApproval?: boolean;
  /** Problems that the caller found already; each counts as a failed check. */
  readonly brought?: readonly Problem[];
  /** Whether it comes into being: then nobody but its author has marked it as under quarantine. */
  readonly creating?: boolean;
  /** By what certificates are delivered. Absent: nothing is delivered. */
  readonly deliver?: { readonly podCertificate: boolean };
  /** What is known of the instance that a Pod claims to launch. Absent: nothing, and it is judged as any Pod. */
  readonly launching?: Launching;
};

/** A problem, and whether it refuses. */
export type Finding = { readonly problem: Problem; readonly refuses: boolean };

/**
 * Judges a workload as it will be when mutation has stamped it (product rules, "Enrolment and modes"). In a namespace that
 * is not enrolled everything is a warning; in an enrolled one a workload without a role is refused, and a failed check is
 * where its segment is in force for it.
 */
export function judge(catalogue: Catalogue, workload: Workload, terms: Terms): Verdict {
  if (EXEMPT_NAMESPACES.has(workload.namespace)) return exempted(workload);
  const lineage = terms.launching ? lineageOf(workload, terms.launching) : NOT_LAUNCHING;
  if (lineage.is === "launcher") return judgeLauncher(catalogue, workload, lineage.machine, terms);
  if (lineage.is === "unknown") return unknownLauncher(catalogue, workload, terms);
  const enrolled = isEnrolled(catalogue, workload);
  const identity = deriveIdentity(catalogue, workload);
  const claims = claimed(catalogue, workload, identity);
  const forged = lineage.is === "forged" ? [lineage.problem] : [];
  const findings: Finding[] = [...forged, ...claims].map((found) => ({ problem: found, refuses: enrolled }));
  if (identity.ok) findings.push(...judgeIdentity(catalogue, workload, identity.value, terms));
  else findings.push(...identity.problems.map((found) => ({ problem: found, refuses: enrolled })));
  const stamp = identity.ok ? stampOf(identity.value) : NO_STAMP;
  const differing = deviationsOf(workload, stamp, terms);
  findings.push(...overwritten(workload, stamp, { differing, claimReported: claims.length > 0 }));
  return verdictOf(findings, {
    ...(identity.ok ? { identity: identity.value } : {}),
    stamp,
    deviations: differing,
    approval: identity.ok ? approvalOf(identity.value) : "none",
    enrolled,
  });
}

const deviationsOf = ({ ownLabels, ownAnnotations }: Workload, stamp: Stamp, { creating }: Terms) =>
  deviations({ labels: ownLabels, annotations: ownAnnotations }, stamp, creating ? isReservedLabel : isStampLabel);

/**
 * Judges a launcher: it holds what its instance holds, and nothing but a Restriction stops it, or a drain would wait for
 * somebody to mend a role (product rules, "VMs"). What is added to one that runs is judged as any Pod's.
 */
function judgeLauncher(catalogue: Catalogue, pod: Workload, machine: Workload, terms: Terms): Verdict {
  const { stamp, identity, derived } = inherit(catalogue, machine, pod);
  const restrictions = restrictionsOn(catalogue, machine, stamp);
  const findings: Finding[] = restrictions.map((found) => ({ problem: found, refuses: true }));
  findings.push(...addedTo(catalogue, pod, identity, terms));
  if (!derived.ok) findings.push(...derived.problems.map((found) => ({ problem: found, refuses: false })));
  return verdictOf(findings, {
    ...(identity ? { identity } : {}),
    stamp,
    deviations: deviationsOf(pod, stamp, terms),
    approval: identity ? approvalOf(identity) : "none",
    enrolled: isEnrolled(catalogue, pod),
  });
}

function addedTo(
  catalogue: Catalogue,
  pod: Workload,
  identity: Identity | undefined,
  terms: Terms,
): readonly Finding[] {
  const refuses = isEnrolled(catalogue, pod) && (!identity || inForceFor(identity.segment, pod));
  return checkAdded(catalogue, pod, identity?.role, terms).map((found) => ({ problem: found, refuses }));
}

/** What KubeVirt copied from the instance stays on it: better a stamp that nobody looked at than none. */
function unknownLauncher(catalogue: Catalogue, pod: Workload, terms: Terms): Verdict {
  const found = problem(
    "LAUNCHER_UNKNOWN",
    "metadata.ownerReferences",
    `VirtualMachineInstance ${pod.owner?.name ?? ""} could not be looked up; its launcher keeps the stamp it came with.`,
  );
  const enrolled = isEnrolled(catalogue, pod);
  const stamp = carriedStamp(pod) ?? NO_STAMP;
  const rest = { stamp, deviations: [], approval: "none", enrolled } as const;
  return verdictOf([...addedTo(catalogue, pod, undefined, terms), { problem: found, refuses: false }], rest);
}

/** A verdict from what was found: one refusing finding refuses. */
export function verdictOf(
  found: readonly Finding[],
  rest: Omit<Verdict, "decision" | "findings" | "problems">,
): Verdict {
  const findings = found.length > 1 ? [...found].sort((a, b) => Number(b.refuses) - Number(a.refuses)) : found;
  return { ...rest, decision: decide(findings), findings, problems: findings.map((each) => each.problem) };
}

const decide = (findings: readonly Finding[]): Decision =>
  findings.some((each) => each.refuses) ? "deny" : findings.length > 0 ? "warn" : "admit";

function judgeIdentity(catalogue: Catalogue, workload: Workload, identity: Identity, terms: Terms): readonly Finding[] {
  const enrolled = isEnrolled(catalogue, workload);
  const failures = [
    ...check(catalogue, workload, identity, terms),
    ...(terms.brought ?? []).map((found) => ({ problem: found, segment: identity.segment })),
  ];
  const findings = failures.map((failed) => ({
    problem: failed.problem,
    refuses: enrolled && (inForceFor(identity.segment, workload) || inForceFor(failed.segment, workload)),
  }));
  if (!terms.requireApproval || approvalOf(identity) === "approved") return findings;
  return [{ problem: unapproved(identity), refuses: true }, ...findings];
}

const isEnrolled = (catalogue: Catalogue, { namespace }: Workload): boolean =>
  catalogue.namespaces.get(namespace)?.enrolled ?? false;

/** Whether a segment's rules bind this workload: in mode enforce all, in canary those that are named. */
const inForceFor = (segment: Segment, workload: Workload): boolean =>
  segment.mode === "enforce" || (segment.mode === "canary" && inCanary(segment, workload));

const approvalOf = ({ role, segment }: Identity): "approved" | "unchecked" =>
  isApproved(role.approval) && isApproved(segment.approval) ? "approved" : "unchecked";

const isApproved = (approval: Approval): boolean => approval.state === "approved";

const unapproved = ({ role, segment }: Identity): Problem =>
  problem(
    "APPROVAL_MISSING",
    "",
    isApproved(role.approval)
      ? `Segment ${segment.name} is not known to be approved.`
      : `Role ${role.name} is not known to be approved.`,
    "Judge against `signet catalogue export` of a cluster, or leave --require-approval out.",
  );

/**
 * A label that claims a role which does not fit: it points to something that was never granted. On a VirtualMachine itself it
 * is no claim: a clone copies its original's, and what starts goes by the template.
 */
function claimed(catalogue: Catalogue, workload: Workload, identity: Result<Identity>): readonly Problem[] {
  const own = workload.object.kind === "VirtualMachine" ? [] : [workload.ownLabels];
  const claim = [workload.labels, ...own].find((labels) => Object.hasOwn(labels, ROLE_LABEL))?.[ROLE_LABEL];
  if (claim === undefined || (identity.ok && claim === identity.value.role.name)) return [];
  if (fitting(candidatesOf(catalogue, workload), workload).some((role) => role.name === claim)) return [];
  return [
    problem(
      "ROLE_NOT_ENTITLED",
      `${workload.metadataPath}.labels.${ROLE_LABEL}`,
      `The label ${ROLE_LABEL} claims "${claim.slice(0, 63)}", which does not fit this ${workload.kind}.`,
      "Take the label away; admission writes it.",
    ),
  ];
}

/** Each reserved key that came with another value and is replaced or removed, in the object or in what its template brings. */
function overwritten(
  workload: Workload,
  stamp: Stamp,
  { differing, claimReported }: { readonly differing: readonly Deviation[]; readonly claimReported: boolean },
): readonly Finding[] {
  const carried = { labels: workload.labels, annotations: workload.annotations };
  const found = workload.form === "template" ? [] : overwrittenIn(differing, "metadata");
  if (workload.metadataPath !== "metadata")
    found.push(...overwrittenIn(deviations(carried, stamp), workload.metadataPath));
  const kept = found.filter((each) => !(claimReported && each.path.endsWith(`labels.${ROLE_LABEL}`)));
  return kept.map((each) => ({ problem: each, refuses: false }));
}

function overwrittenIn(differing: readonly Deviation[], path: string): Problem[] {
  const found: Problem[] = [];
  // Mostly a frozen list of what is missing: V8 walks it much faster than it filters it.
  for (const { map, key, present, wanted } of differing)
    if (present !== undefined)
      found.push(
        problem(
          "STAMP_OVERWRITTEN",
          `${path}.${map}.${key}`,
          wanted === undefined ? `The reserved key ${key} was removed.` : `The reserved key ${key} was overwritten.`,
          "Take it out of the manifest; only Signet writes it.",
        ),
      );
  return found;
}

/** Cluster parts are never refused; what they carry under reserved keys counts for nothing, and is said to be forged. */
function exempted(workload: Workload): Verdict {
  const differing = deviations({ labels: workload.ownLabels, annotations: workload.ownAnnotations }, NO_STAMP);
  const forged = differing.map(({ map, key }) => ({
    refuses: true,
    problem: problem(
      "FORGED",
      `metadata.${map}.${key}`,
      `The reserved key ${key} may not be used in ${workload.namespace}.`,
      "Take it out of the manifest.",
    ),
  }));
  return verdictOf(forged, { stamp: NO_STAMP, deviations: differing, approval: "none", enrolled: false });
}
