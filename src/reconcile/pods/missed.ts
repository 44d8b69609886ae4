import type { PatchOperation } from "../../domain/json-patch.ts";
import type { ProblemCode } from "../../domain/problem-codes.ts";
import {
  isReservedAnnotation,
  isStampLabel,
  ROLE_LABEL,
  SEGMENT_LABEL,
  SPIFFE_ID_ANNOTATION,
  STAMP_ANNOTATION,
} from "../../domain/reserved-keys.ts";
import type { Workload } from "../../domain/workload.ts";
import type { Identity } from "../../identity/fit-role.ts";
import { patchOf } from "../../identity/patch.ts";
import { type Deviation, stampAge } from "../../identity/stamp.ts";
import type { ObjectKey } from "../../wire/definitions/approvable.ts";
import { MIRROR_ANNOTATION } from "../../wire/workloads/pod-shape.ts";
import { isLive, type PodSeen } from "./seen.ts";

/** What is to be done about a running Pod without a valid stamp. Nobody is ever evicted. */
export type PodAction = {
  readonly object: ObjectKey;
  readonly code: ProblemCode;
  readonly why: string;
  /** Whether admission missed the Pod; one whose role was edited since it was stamped is not. */
  readonly missed: boolean;
} & (
  | {
      readonly do: "stampPod";
      /** JSON Patch of the Pod's metadata; its first operation tests the resource version. */
      readonly patch: readonly PatchOperation[];
    }
  | { readonly do: "reportPod" }
);

/**
 * Lists the live Pods without a valid stamp, with the reason (product, "Validation's fairness"). What admission would have
 * let in is stamped now; a Pod that it would have refused, or whose stamp names another role or segment, is reported.
 */
export const decideMissed = (pods: readonly PodSeen[]): readonly PodAction[] =>
  pods.filter(isLive).flatMap((pod) => decide(pod) ?? []);

/** The metric `missed`: Pods that run without a valid stamp. It must be 0. */
export const countMissed = (actions: readonly PodAction[]): number => actions.filter(({ missed }) => missed).length;

function decide(pod: PodSeen): PodAction | undefined {
  const { judgement, workload } = pod;
  const { identity, deviations } = judgement;
  if (!identity) return withoutRole(pod);
  const age = ageOf(workload, deviations);
  if (deviations.length === 0 || age === "newer" || isOnlyOlder(deviations, age)) return undefined;
  if (Object.hasOwn(workload.ownAnnotations, MIRROR_ANNOTATION))
    return report(pod, "STAMP_MISSING", "It is a static Pod: only its mirror can be stamped, and kubelet writes that.");
  const other = deviations.find(({ key, present }) => IDENTITY_KEYS.has(key) && present !== undefined);
  if (other) return report(pod, "ROLE_CHANGED", anotherRole(identity, other));
  return age === "older" ? restamp(pod) : stamp(pod, identity, age);
}

const IDENTITY_KEYS: ReadonlySet<string> = new Set([ROLE_LABEL, SEGMENT_LABEL, SPIFFE_ID_ANNOTATION]);

type Age = ReturnType<typeof stampAge> | "none";

/** How old the stamp annotation is; `same` where it does not deviate. */
function ageOf({ ownAnnotations }: Workload, deviations: readonly Deviation[]): Age {
  const carried = Object.hasOwn(ownAnnotations, STAMP_ANNOTATION) ? ownAnnotations[STAMP_ANNOTATION] : undefined;
  if (carried === undefined) return "none";
  const deviation = deviations.find(({ key }) => key === STAMP_ANNOTATION);
  return deviation?.wanted === undefined ? "same" : stampAge(carried, deviation.wanted);
}

/** A stamp that names an older generation and is right in everything else stays true: it says when it was given. */
const isOnlyOlder = (deviations: readonly Deviation[], age: Age): boolean =>
  age === "older" && deviations.every(({ key }) => key === STAMP_ANNOTATION);

/** No role fits: enrolled namespaces would refuse it, elsewhere only a stamp that nothing stands behind is worth a word. */
function withoutRole(pod: PodSeen): PodAction | undefined {
  const { findings, enrolled } = pod.judgement;
  if (!enrolled && !carriesStamp(pod.workload)) return undefined;
  const [first] = findings;
  return report(pod, first?.problem.code ?? "ROLE_NONE", first?.problem.message ?? "No role fits it.");
}

const carriesStamp = ({ ownLabels, ownAnnotations }: Workload): boolean =>
  Object.keys(ownLabels).some(isStampLabel) || Object.keys(ownAnnotations).some(isReservedAnnotation);

const anotherRole = ({ role, segment }: Identity, { key, present }: Deviation): string =>
  `Its ${key} is "${present ?? ""}", but what fits it now is role ${role.name} of ${segment.name}. Create it anew.`;

/** A Pod that never got its stamp, or lost some of it: stamped, if admission would have let it in. */
function stamp(pod: PodSeen, { role }: Identity, age: Age): PodAction {
  const refusing = pod.judgement.findings.find(({ refuses }) => refuses);
  if (refusing) return report(pod, refusing.problem.code, refusing.problem.message);
  const volume = role.delivery === "none" ? "" : " Its certificate comes when it is created anew.";
  return {
    do: "stampPod",
    object: pod.object,
    code: "STAMP_MISSING",
    why:
      age === "none"
        ? `Admission missed it; it holds role ${role.name}.${volume}`
        : `Its stamp is not the one that follows from role ${role.name}.`,
    missed: true,
    patch: patch(pod),
  };
}

/** Role or segment were edited since: their labels reach Pods that run. */
const restamp = (pod: PodSeen): PodAction => ({
  do: "stampPod",
  object: pod.object,
  code: "STAMP_OVERWRITTEN",
  why: "Its role or segment was edited since it was stamped.",
  missed: false,
  patch: patch(pod),
});

const patch = ({ object, judgement, presence }: PodSeen): readonly PatchOperation[] => [
  { op: "test", path: "/metadata/resourceVersion", value: object.resourceVersion },
  ...patchOf(judgement.deviations, presence),
];

const report = ({ object }: PodSeen, code: ProblemCode, why: string): PodAction => ({
  do: "reportPod",
  object,
  code,
  why,
  missed: true,
});
