import { type Lack, lacksOf } from "../admission/lacks.ts";
import { auditAnnotations, denialMessage, oneLine, warningsOf } from "../admission/denial.ts";
import { type GateAnswer, mutate, validate } from "../admission/gate.ts";
import type { Catalogue } from "../domain/catalogue.ts";
import { EXEMPT_NAMESPACES } from "../domain/exempt-namespaces.ts";
import { ok, type Problem, refuse, type Result } from "../domain/problem.ts";
import type { ProblemCode } from "../domain/problem-codes.ts";
import { type Review, readReview, type ReviewRequest } from "../wire/admission-review.ts";
import { renderReviewAnswer, type ReviewAnswer } from "../wire/review-answer.ts";
import type { Outcome } from "./metrics.ts";
import type { Services, Webhook } from "./services.ts";
import { reviewStatus } from "./statuses.ts";

/** An answered review: the body to send, and what is counted and logged of it. */
export type Answered = {
  readonly body: string;
  readonly outcome: Outcome;
  readonly codes: readonly ProblemCode[];
  readonly subject: string;
};

const GATES = { mutate, validate } as const;

/**
 * Answers one review from one frozen snapshot, without waiting for anything but a snapshot that has what this one must have
 * and lacks. Refuses only what is no AdmissionReview; an object in it that cannot be read is a denial in words. A dry run is
 * judged the same and leaves nothing behind.
 */
export function answerReview(
  webhook: Webhook,
  body: string,
  catalogue: Catalogue,
  services: Services,
): Result<Answered> | Promise<Result<Answered>> {
  const review = readReview(body);
  if (!review.ok) return review;
  const { request } = review.value;
  if (!request.ok) return ok(unreadable(review.value, request.problems));
  const asked = { webhook, review: review.value, request: request.value, services };
  const { workload } = request.value;
  const lacks = services.freshen && workload ? lacksOf(catalogue, workload, webhook) : [];
  if (lacks.length > 0) return detour(asked, catalogue, lacks);
  return ok(judged(asked, catalogue));
}

type Asked = {
  readonly webhook: Webhook;
  readonly review: Review;
  readonly request: ReviewRequest;
  readonly services: Services;
};

/** Judges by a snapshot that was completed live. One that is older than a stamp has no say on whether that is forged. */
async function detour(asked: Asked, catalogue: Catalogue, lacks: readonly Lack[]): Promise<Result<Answered>> {
  const { webhook, request, services } = asked;
  const fresh = await services.freshen?.(lacks);
  if (fresh) return ok(judged(asked, fresh));
  const terms = { now: services.now(), requireApproval: services.requireApproval };
  const { verdict } = GATES[webhook](catalogue, request, terms);
  const unsure = verdict?.problems.some(({ code }) => code === "FORGED") ?? false;
  if (unsure || lacks.some(({ kind }) => kind === "Namespace"))
    return refuse("NOT_READY", "", "What the verdict hangs on could not be read from the API server in time.");
  return ok(judged(asked, catalogue));
}

function judged({ webhook, review, request, services }: Asked, catalogue: Catalogue): Answered {
  const at = services.now();
  const answer = GATES[webhook](catalogue, request, { now: at, requireApproval: services.requireApproval });
  const { verdict } = answer;
  if (verdict && !request.dryRun)
    services.record({ webhook, at, revision: catalogue.revision, namespace: review.namespace, request, answer });
  return {
    body: renderReviewAnswer({ uid: request.uid, ...inWords(answer) }),
    outcome: verdict?.decision ?? "skip",
    codes: verdict?.problems.map(({ code }) => code) ?? [],
    subject: review.subject,
  };
}

const SILENT = { allowed: true, code: 200, message: "", warnings: [], patch: [], auditAnnotations: {} } as const;

function inWords({ allowed, verdict, patch }: GateAnswer): Omit<ReviewAnswer, "uid"> {
  if (!verdict) return SILENT;
  const first = verdict.findings[0]?.problem.code;
  return {
    allowed,
    code: allowed || first === undefined ? 200 : reviewStatus(first),
    message: allowed ? "" : denialMessage(verdict),
    warnings: allowed ? warningsOf(verdict) : [],
    patch,
    auditAnnotations: auditAnnotations(verdict),
  };
}

/** What is unreadable is denied; only the cluster's own parts are never refused. */
function unreadable({ uid, namespace, subject }: Review, problems: readonly Problem[]): Answered {
  const allowed = EXEMPT_NAMESPACES.has(namespace);
  const lines = problems
    .slice(0, 8)
    .map(({ path, message, code }) => `${path === "" ? "" : `${path}: `}${message} [${code}]`);
  const answer = {
    ...SILENT,
    uid,
    allowed,
    code: 400,
    message: lines.map((line) => oneLine(line)).join("\n"),
    warnings: allowed ? lines.map((line) => oneLine(line)) : [],
    auditAnnotations: { verdict: "unreadable" },
  };
  return { body: renderReviewAnswer(answer), outcome: "unreadable", codes: problems.map(({ code }) => code), subject };
}
