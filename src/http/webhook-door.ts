import type { IncomingMessage, ServerResponse } from "node:http";
import { performance } from "node:perf_hooks";
import { type Problem, problem, type Result } from "../domain/problem.ts";
import { type Answered, answerReview } from "./answer-review.ts";
import type { Limits } from "./limits.ts";
import type { Meters } from "./metrics.ts";
import { PROBLEM_TYPE, renderProblems } from "./problem-json.ts";
import { type BodyBudget, readBody } from "./read-body.ts";
import type { Services, Webhook } from "./services.ts";

/** What the door shares with the server around it. */
export type DoorParts = {
  readonly services: Services;
  readonly meters: Meters;
  readonly limits: Limits;
  /** Whether the caller may ask; absent where everybody may. */
  readonly mayAsk?: (request: IncomingMessage) => boolean;
  /** Whether the connection is to be closed after this answer: while draining, or because of its age. */
  readonly closing: (request: IncomingMessage) => boolean;
};

/** Takes a request if it is a webhook's; false leaves it to the routes behind. */
export type Door = (request: IncomingMessage, response: ServerResponse) => boolean;

const WEBHOOKS: ReadonlyMap<string, Webhook> = new Map([
  ["/mutate", "mutate"],
  ["/validate", "validate"],
]);

/**
 * The two webhook routes, taken before the framework: they are the hot path, and have one method, one content type and no
 * parameters that count (the API server appends `?timeout=10s`).
 */
export function webhookDoor(parts: DoorParts): Door {
  const budget: BodyBudget = { taken: 0 };
  const answerSoon = inTurns(parts);
  return (request, response) => {
    const webhook = webhookOf(request.url ?? "");
    if (!webhook) return false;
    const unfit = parts.mayAsk?.(request) === false ? STRANGER : unfitness(request);
    const call: Call = { parts, webhook, request, response };
    if (unfit) refuse(call, unfit);
    else
      readBody(request, parts.limits, budget, (body) =>
        body.ok ? answerSoon(call, body.value) : refuse(call, { problems: body.problems, close: true }),
      );
    return true;
  };
}

function webhookOf(url: string): Webhook | undefined {
  const end = url.indexOf("?");
  return WEBHOOKS.get(end === -1 ? url : url.slice(0, end));
}

/** Why a request is answered without a verdict; `status` where HTTP has one of its own for it. */
type Refusal = {
  readonly problems: readonly Problem[];
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The rest of the body is not worth reading. */
  readonly close?: boolean;
};

function unfitness({ method, headers }: IncomingMessage): Refusal | undefined {
  if (method !== "POST")
    return { ...wrong("Webhooks answer POST."), status: 405, headers: { Allow: "POST" }, close: true };
  if (!isJson(headers["content-type"] ?? ""))
    return { ...wrong("The Content-Type is not application/json."), status: 415, close: true };
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") return { ...wrong("The body is compressed."), status: 415, close: true };
  return undefined;
}

/** Looks before it cuts: the API server's has no parameters. */
const isJson = (type: string): boolean =>
  type === "application/json" || type.split(";", 1)[0]?.trim().toLowerCase() === "application/json";

const STRANGER: Refusal = {
  problems: [
    problem(
      "CALLER_UNKNOWN",
      "",
      "The caller has shown no client certificate that may ask here.",
      "Give the API server one by its admission configuration's kubeConfigFile, and name it in `clients.names`.",
    ),
  ],
  close: true,
};

const wrong = (message: string): { problems: readonly Problem[] } => ({
  problems: [problem("REVIEW_INVALID", "", message, "Check which webhook configuration sends it.")],
});

/** One request on its way to its answer. */
type Call = {
  readonly parts: DoorParts;
  readonly webhook: Webhook;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
};

/** A review whose body is there, and since when. */
type Waiting = { readonly call: Call; readonly body: string; readonly start: number };

/** So many reviews, or so much text, are judged before the first is answered: what waits is no longer in the bodies' budget. */
const MOST_IN_A_TURN = 32;
const MOST_TEXT_IN_A_TURN = 1024 * 1024;

/**
 * Judges what one turn of the event loop brought review by review, and then answers review by review: code that is still in
 * the processor's caches runs much faster than code that TLS and sockets have driven out (decision 80).
 */
function inTurns(parts: DoorParts): (call: Call, body: string) => void {
  let waiting: Waiting[] = [];
  let text = 0;
  const answerAll = (): void => {
    const turn = waiting;
    waiting = [];
    text = 0;
    const decided = turn.map(({ call, body, start }) => ({ call, start, answered: decide(parts, call.webhook, body) }));
    for (const { call, start, answered } of decided) {
      if (answered instanceof Promise) void answered.then((late) => reply(call, late, start));
      else reply(call, answered, start);
    }
  };
  return (call, body) => {
    if (waiting.length === 0) setImmediate(answerAll);
    waiting.push({ call, body, start: performance.now() });
    text += body.length;
    if (waiting.length >= MOST_IN_A_TURN || text >= MOST_TEXT_IN_A_TURN) answerAll();
  };
}

function reply(call: Call, answered: Result<Answered>, start: number): void {
  const { parts, webhook } = call;
  if (!answered.ok) return refuse(call, { problems: answered.problems });
  const { outcome, codes, subject } = answered.value;
  send(call, { status: 200, type: "application/json", body: answered.value.body });
  parts.meters.reviewed(webhook, outcome, (performance.now() - start) / 1000);
  if (codes.length > 0) parts.meters.problems(codes);
  parts.services.log.debug({ webhook, subject, outcome, codes }, "A review was answered.");
}

function decide(parts: DoorParts, webhook: Webhook, body: string): Result<Answered> | Promise<Result<Answered>> {
  try {
    const catalogue = parts.services.catalogue();
    if (!catalogue) return { ok: false, problems: [problem("NOT_READY", "", "No catalogue could be read yet.")] };
    const answered = answerReview(webhook, body, catalogue, parts.services);
    return answered instanceof Promise ? answered.catch((fault: unknown) => faulty(parts, webhook, fault)) : answered;
  } catch (fault) {
    return faulty(parts, webhook, fault);
  }
}

/** A fault of the verdict is caught here alone: the caller learns that there was one, the log learns which. */
function faulty({ services }: DoorParts, webhook: Webhook, fault: unknown): Result<never> {
  services.log.error({ err: fault, webhook }, "A review could not be judged.");
  return { ok: false, problems: [problem("INTERNAL", "", "The review could not be judged.")] };
}

function refuse(call: Call, refusal: Refusal): void {
  const { parts, webhook } = call;
  const { status, body } = renderProblems(refusal.problems, refusal.status);
  send(call, { status, type: PROBLEM_TYPE, body, ...refusal });
  parts.meters.refused(webhook, status);
  parts.services.log.warn({ webhook, status, code: refusal.problems[0]?.code }, "A request was no review.");
}

type Sent = Pick<Refusal, "headers" | "close"> & {
  readonly status: number;
  readonly type: string;
  readonly body: string;
};

function send({ parts, request, response }: Call, { status, type, body, headers, close }: Sent): void {
  const fields: string[] = ["Content-Type", type, "Content-Length", String(Buffer.byteLength(body))];
  for (const [name, value] of Object.entries(headers ?? {})) fields.push(name, value);
  if (status === 503) fields.push("Retry-After", "1");
  if (close || parts.closing(request)) fields.push("Connection", "close");
  response.writeHead(status, fields);
  response.end(body);
}
