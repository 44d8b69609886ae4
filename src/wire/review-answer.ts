import { remembered } from "../domain/remembered.ts";

/** What is answered to a review; `patch` is a JSON Patch, `code` and `message` count only for a denial. */
export type ReviewAnswer = {
  readonly allowed: boolean;
  readonly code: number;
  readonly message: string;
  readonly warnings: readonly string[];
  readonly patch: readonly object[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
};

const REASONS: Readonly<Record<number, string>> = {
  400: "BadRequest",
  403: "Forbidden",
  500: "InternalError",
  503: "ServiceUnavailable",
};

/**
 * The answer as the API server takes it (apiserver VerifyAdmissionResponse): v1 exactly, the uid of the request, patch and
 * patchType both or neither, a status only where it denies.
 */
export function renderReviewAnswer(uid: string, answer: ReviewAnswer): string {
  const { allowed, code, message, warnings, patch, auditAnnotations } = answer;
  let response = `{"uid":${JSON.stringify(uid)},"allowed":${allowed}`;
  if (!allowed) response += `,"status":${JSON.stringify(statusOf(code, message))}`;
  if (patch.length > 0) response += `,"patchType":"JSONPatch","patch":"${patchText(patch)}"`;
  if (warnings.length > 0) response += `,"warnings":${JSON.stringify(warnings)}`;
  const annotations = annotationsText(auditAnnotations);
  if (annotations !== "{}") response += `,"auditAnnotations":${annotations}`;
  return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":${response}}}`;
}

const statusOf = (code: number, message: string) => {
  const reason = REASONS[code];
  return reason === undefined ? { code, message } : { code, reason, message };
};

/** What is frozen is answered again and again. */
const oftenOrOnce = <T extends object>(render: (value: T) => string): ((value: T) => string) => {
  const often = remembered(render);
  return (value) => (Object.isFrozen(value) ? often(value) : render(value));
};

const patchText = oftenOrOnce((patch: readonly object[]) => Buffer.from(JSON.stringify(patch)).toString("base64"));
const annotationsText = oftenOrOnce((annotations: Readonly<Record<string, string>>) => JSON.stringify(annotations));
