import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { ok, type Problem, problem, refuse, type Result } from "../domain/problem.ts";
import type { Limits } from "./limits.ts";

/** Bytes of bodies that are being read at this moment, over all connections of one server. */
export type BodyBudget = { taken: number };

/** Takes the body, or why there is none; not called where the caller went away. */
type Done = (body: Result<string>) => void;

/**
 * Reads a JSON body as text, holding never more than the limits allow: a body that is too large, or one too many, is refused
 * as soon as that is known and the rest is not read.
 */
export function readBody(request: IncomingMessage, limits: Limits, budget: BodyBudget, done: Done): void {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > limits.bodyBytes) return done(tooLarge(limits));
  const chunks: Buffer[] = [];
  let size = 0;
  let open = true;
  const finish = (body?: Result<string>): void => {
    if (!open) return;
    open = false;
    budget.taken -= size;
    if (body) done(body);
  };
  const take = (chunk: Buffer): void => {
    if (!open) return;
    size += chunk.length;
    budget.taken += chunk.length;
    chunks.push(chunk);
    if (size > limits.bodyBytes) finish(tooLarge(limits));
    else if (budget.taken > limits.bodiesBytes) finish({ ok: false, problems: [CROWDED] });
  };
  request.on("data", take);
  request.on("end", () => finish(textOf(chunks)));
  request.on("close", () => finish());
}

function textOf(chunks: readonly Buffer[]): Result<string> {
  const [first] = chunks;
  const bytes = first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
  if (isUtf8(bytes)) return ok(bytes.toString("utf8"));
  return refuse("REVIEW_INVALID", "", "The body is not UTF-8.", "Send JSON as UTF-8.");
}

const tooLarge = ({ bodyBytes }: Limits): Result<never> =>
  refuse(
    "INPUT_TOO_LARGE",
    "",
    `The body has more than ${Math.floor(bodyBytes / 1024 / 1024)} MiB.`,
    "The API server's own limit on an object is lower; check who sends it.",
  );

const CROWDED: Problem = problem("NOT_READY", "", "Too much is being sent at one time.", "Try again in a moment.");
