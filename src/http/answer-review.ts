import { type Lack, lacksOf } from "../admission/lacks.ts";
import { auditAnnotations, denialMessage, oneLine, warningsOf } from "../admission/denial.ts";
import type { Terms } from "../admission/judge.ts";
import { type GateAnswer, mutate, validate } from "../admission/gate.ts";
import { isStamped } from "../admission/review.ts";
import type { Catalogue } from "../domain/catalogue.ts";
import { EXEMPT_NAMESPACES } from "../domain/exempt-namespaces.ts";
import type { Instant } from "../domain/instant.ts";
import type { Launching } from "../domain/workload.ts";
import { STAMP_ANNOTATION } from "../domain/reserved-keys.ts";
import { ok, type Problem, refuse, type Result } from "../domain/problem.ts";
import type { ProblemCode } from "../domain/problem-codes.ts";
import { type Review, readReview, type ReviewRequest } from "../wire/admission-review.ts";
import { launchingOf } from "./launching.ts";
import { renderReviewAnswer, type ReviewAnswer } from "../wire/review-answer.ts";
import type { Outcome } from "./metrics.ts";
import { parseApart } from "./parse-apart.ts";
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
  const review = readReview(body, parseApart);
  if (!review.ok) return review;
  const { request } = review.value;
  if (!request.ok) return ok(unreadable(webhook, review.value, catalogue, request.problems));
  const asked: Asked = { webhook, review: review.value, request: request.value, catalogue, services };
  const launching = services.machines && launchingOf(request.value, services.machines);
  if (!(launching instanceof Promise)) return answer(asked, launching);
  return launching.then((found) => (found.ok ? answer(asked, found.value) : found));
}

function answer(asked: Asked, launching: Launching | undefined): Result<Answered> | Promise<Result<Answered>> {
  const { webhook, request, catalogue, services } = asked;
  const known = launching ? { ...asked, request: { ...request, launching } } : asked;
  const { workload } = request;
  const lacks = services.freshen && workload ? lacksOf(catalogue, workload, webhook) : [];
  return lacks.length > 0 ? detour(known, lacks) : ok(judged(known));
}

/** With what the stamp of a new workload stood for, where by now that is no longer what its role gives. */
function withSuperseded(request: ReviewRequest, services: Services): ReviewRequest {
  const { operation, workload } = request;
  const stamp = operation === "CREATE" ? workload?.ownAnnotations[STAMP_ANNOTATION] : undefined;
  const superseded = stamp === undefined ? undefined : services.superseded?.(stamp);
  return superseded ? { ...request, superseded } : request;
}

type Asked = {
  readonly webhook: Webhook;
  readonly review: Review;
  readonly request: ReviewRequest;
  readonly catalogue: Catalogue;
  readonly services: Services;
};

/** Judges by a snapshot that was completed live. One that is older than a stamp has no say on whether that is forged. */
async function detour(asked: Asked, lacks: readonly Lack[]): Promise<Result<Answered>> {
  const { webhook, catalogue, services } = asked;
  const fresh = await services.freshen?.(lacks);
  if (fresh) return ok(judged({ ...asked, catalogue: fresh }));
  const terms = termsOf(services, services.now());
  const { verdict } = GATES[webhook](catalogue, withSuperseded(asked.request, services), terms);
  const unsure = verdict?.problems.some(({ code }) => code === "FORGED") ?? false;
  if (unsure || lacks.some(({ kind }) => kind === "Namespace"))
    return refuse("NOT_READY", "", "What the verdict hangs on could not be read from the API server in time.");
  return ok(judged(asked));
}

const termsOf = ({ requireApproval, deliver }: Services, now: Instant): Terms =>
  deliver ? { now, requireApproval, deliver: deliver() } : { now, requireApproval };

function judged({ webhook, review, request: asked, catalogue, services }: Asked): Answered {
  const at = services.now();
  const request = withSuperseded(asked, services);
  const answer = GATES[webhook](catalogue, request, termsOf(services, at));
  const { verdict } = answer;
  if (verdict && !request.dryRun)
    services.record({ webhook, at, revision: catalogue.revision, namespace: review.namespace, request, answer });
  return {
    body: renderReviewAnswer(request.uid, inWords(webhook, request, answer)),
    outcome: verdict?.decision ?? "skip",
    codes: verdict?.problems.map(({ code }) => code) ?? [],
    subject: review.subject,
  };
}

const SILENT = { allowed: true, code: 200, message: "", warnings: [], patch: [], auditAnnotations: {} } as const;

function inWords(webhook: Webhook, { workload }: ReviewRequest, { allowed, verdict, patch }: GateAnswer): ReviewAnswer {
  if (!verdict || !workload) return SILENT;
  // After mutation it has its labels; at validation it may still run with others.
  const labelled = isStamped(workload) && (webhook === "mutate" || verdict.deviations.length === 0);
  const first = verdict.findings[0]?.problem.code;
  return {
    allowed,
    code: allowed || first === undefined ? 200 : reviewStatus(first),
    message: allowed ? "" : denialMessage(verdict),
    warnings: allowed ? warningsOf(verdict) : [],
    patch,
    auditAnnotations: auditAnnotations(verdict, labelled),
  };
}

/**
 * What cannot be read is denied by validation where the namespace is enrolled. Elsewhere nobody may be stopped by what
 * Signet does not understand, and mutation never refuses: there it is a warning.
 */
function unreadable(
  webhook: Webhook,
  { uid, namespace, subject }: Review,
  catalogue: Catalogue,
  problems: readonly Problem[],
): Answered {
  const enrolled = catalogue.namespaces.get(namespace)?.enrolled ?? false;
  const allowed = webhook === "mutate" || !enrolled || EXEMPT_NAMESPACES.has(namespace);
  const lines = problems
    .slice(0, 8)
    .map(({ path, message, code }) => `${path === "" ? "" : `${path}: `}${message} [${code}]`);
  const answer = {
    ...SILENT,
    allowed,
    code: 400,
    message: lines.map((line) => oneLine(line)).join("\n"),
    warnings: allowed ? lines.map((line) => oneLine(line)) : [],
    auditAnnotations: { verdict: "unreadable" },
  };
  return {
    body: renderReviewAnswer(uid, answer),
    outcome: "unreadable",
    codes: problems.map(({ code }) => code),
    subject,
  };
}
