import type { Catalogue } from "../domain/catalogue.ts";
import { EXEMPT_NAMESPACES } from "../domain/exempt-namespaces.ts";
import type { Labels } from "../domain/label-selector.ts";
import type { PatchOperation } from "../domain/json-patch.ts";
import type { Problem, Result } from "../domain/problem.ts";
import type { Launching, Workload } from "../domain/workload.ts";
import type { MetadataPresence } from "../identity/patch.ts";
import type { PodShape } from "../wire/workloads/pod-shape.ts";
import { prepare, withoutKeptVolumes } from "./delivery.ts";
import { type Finding, judge, type Terms, type Verdict, verdictOf } from "./judge.ts";
import { changeFindings, isInstance, isMachineObject, newFindings } from "./on-stamp.ts";
import { isStamped, review } from "./review.ts";

/** What the gate needs to know of one AdmissionReview. */
export type GateRequest = {
  readonly uid: string;
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  /** Empty for the object itself. */
  readonly subResource: string;
  readonly dryRun: boolean;
  readonly user: { readonly username: string; readonly groups: readonly string[] };
  /** Absent where the object is no workload. */
  readonly workload?: Workload;
  readonly oldWorkload?: Workload;
  /** Reads the containers and volumes of a Pod; asked only where certificates are delivered. */
  readonly readPod?: () => Result<PodShape>;
  readonly presence: MetadataPresence;
  /** Whether the object has a deletion timestamp. */
  readonly deleting: boolean;
  /** On UPDATE: whether template or spec, service account, labels or reserved keys differ from the old object. */
  readonly relevantChange: boolean;
  /** What is known of the instance that a Pod claims to launch; absent where it claims none, or nobody was asked. */
  readonly launching?: Launching;
  /** The labels that its stamp annotation stood for until a little while ago; absent where it stood for none. */
  readonly superseded?: Labels;
};

/** What the gate answers. `verdict` is absent where there was nothing to judge. */
export type GateAnswer = {
  readonly allowed: boolean;
  readonly verdict?: Verdict;
  readonly patch: readonly PatchOperation[];
};

const NOTHING_TO_SAY: GateAnswer = { allowed: true, patch: [] };

/**
 * Stamps a workload at creation, and VirtualMachines at every change. It never refuses: what has to be refused is left as it
 * came, for validation to refuse. Running Pods and instances are not stamped anew.
 */
export function mutate(catalogue: Catalogue, request: GateRequest, given: Terms): GateAnswer {
  const { workload, operation } = request;
  const terms = termsOf(request, given);
  const stamps =
    operation === "CREATE" ||
    (operation === "UPDATE" && request.relevantChange && workload && isMachineObject(workload));
  if (!workload || !stamps || request.subResource !== "" || request.deleting) return NOTHING_TO_SAY;
  if (EXEMPT_NAMESPACES.has(workload.namespace)) return NOTHING_TO_SAY;
  return stampAndDeliver(catalogue, request, workload, terms);
}

const termsOf = ({ launching, operation }: GateRequest, terms: Terms): Terms => ({
  ...terms,
  creating: operation === "CREATE",
  ...(launching ? { launching } : {}),
});

function stampAndDeliver(catalogue: Catalogue, request: GateRequest, workload: Workload, terms: Terms): GateAnswer {
  if (!delivers(request, terms)) {
    const { verdict, patch } = review(catalogue, workload, request.presence, terms);
    return { allowed: true, verdict, patch };
  }
  const prepared = prepare(catalogue, workload, request.readPod);
  const { verdict, patch } = review(catalogue, prepared.workload, request.presence, {
    ...terms,
    brought: prepared.problems,
  });
  return { allowed: true, verdict, patch: verdict.decision === "deny" ? patch : [...patch, ...prepared.patch] };
}

/**
 * Judges the final state of a workload: its role, its checks, and that its stamp is the one that follows. An UPDATE is judged
 * only where something relevant changed, and a deletion never (product rules, "Validation's fairness").
 */
export function validate(catalogue: Catalogue, request: GateRequest, given: Terms): GateAnswer {
  const { workload, operation } = request;
  if (!workload || request.deleting || (operation !== "CREATE" && operation !== "UPDATE")) return NOTHING_TO_SAY;
  if (operation === "UPDATE" && !request.relevantChange) return NOTHING_TO_SAY;
  if (operation === "CREATE" && request.subResource !== "") return NOTHING_TO_SAY;
  const verdict = judgeFinal(catalogue, request, workload, termsOf(request, given));
  return { allowed: verdict.decision !== "deny", verdict, patch: [] };
}

/** Whether the volumes of a Pod have to be looked at: only at its creation, and only where they are delivered. */
const delivers = (
  request: GateRequest,
  { deliver }: Terms,
): request is GateRequest & Required<Pick<GateRequest, "readPod">> =>
  deliver?.podCertificate === true && request.operation === "CREATE" && request.readPod !== undefined;

function judgeFinal(catalogue: Catalogue, request: GateRequest, given: Workload, terms: Terms): Verdict {
  const prepared = delivers(request, terms) ? prepare(catalogue, given, request.readPod) : undefined;
  const workload = prepared?.workload ?? withoutKeptVolumes(given, request.oldWorkload);
  const verdict = judge(catalogue, workload, prepared ? { ...terms, brought: prepared.problems } : terms);
  if (EXEMPT_NAMESPACES.has(workload.namespace) || !isStamped(workload)) return verdict;
  const isNew = request.operation === "CREATE";
  const onStamp = isNew ? newFindings(request, verdict) : changeFindings(catalogue, request, workload, verdict);
  const kept = verdict.findings.filter(({ problem: found }) => !isAnsweredByStamp(found, isNew));
  const old = isInstance(workload) ? request.oldWorkload : undefined;
  return verdictOf([...(old ? newRefusals(kept, judge(catalogue, old, terms)) : kept), ...onStamp], verdict);
}

/** What held of a running instance before is no reason to refuse a change of it: KubeVirt writes it while it runs. */
function newRefusals(found: readonly Finding[], before: Verdict): readonly Finding[] {
  const known = new Set(before.problems.map(({ code, path }) => `${code} ${path}`));
  return found.map((each) =>
    each.refuses && known.has(`${each.problem.code} ${each.problem.path}`) ? { ...each, refuses: false } : each,
  );
}

/**
 * Whether a finding on the object's own metadata is said by the findings on its stamp instead: mutation has overwritten by
 * now, and the label of a running workload is its stamp, no claim.
 */
const isAnsweredByStamp = ({ code, path }: Problem, isNew: boolean): boolean =>
  path.startsWith("metadata.") &&
  (code === "STAMP_OVERWRITTEN" || (!isNew && code === "ROLE_NOT_ENTITLED" && path.includes(".labels.")));
