import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import { PROBLEM_CODES, type ProblemCode } from "../domain/problem-codes.ts";
import { ok, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { readStrictJson } from "./strict-json.ts";

const closed = { additionalProperties: false };
const plain = <Step extends string>(step: Step) => Type.Object({ step: Type.Literal(step) }, closed);
const id = Type.String({ pattern: "^[0-9a-f]{2,40}$" });

const WISH = Type.Union([
  plain("request"),
  plain("pause"),
  plain("resume"),
  plain("csr"),
  plain("condemnTokens"),
  Type.Object({ step: Type.Literal("withdraw"), id }, closed),
  Type.Object({ step: Type.Literal("activate"), id }, closed),
  Type.Object({ step: Type.Literal("condemn"), id, remove: Type.Enum(["renewed", "now"]) }, closed),
  Type.Object({ step: Type.Literal("import"), chain: Type.String({ maxLength: 65_536 }) }, closed),
]);

/**
 * A step that a person may ask for. csr: the request for a chain from the offline root. import: that chain, PEM. condemnTokens:
 * every key for tokens is dropped.
 */
export type AuthorityWish = Static<typeof WISH>;

const ASK = Type.Object({ ask: Type.String({ pattern: "^[0-9a-f]{32}$" }), wish: WISH }, closed);

/** A wish under a number of its own, by which its answer is found. */
export type AuthorityAsk = Static<typeof ASK>;

const askChecker = Compile(ASK);

/** Reads what somebody asked for, from JSON; refuses everything else with FIELD_INVALID. */
export function readAuthorityAsk(text: string): Result<AuthorityAsk> {
  const json = readStrictJson(text, "The wish");
  if (json.ok && askChecker.Check(json.value)) return ok(json.value);
  return refuse("FIELD_INVALID", "wish", "This is not a step that can be asked for.", "`signet ca` writes one.");
}

const PROBLEM = Type.Object(
  { code: Type.String(), path: Type.String(), message: Type.String(), mend: Type.Optional(Type.String()) },
  closed,
);
const ANSWER = Type.Object(
  {
    ask: Type.String(),
    problems: Type.Array(PROBLEM),
    /** PEM, where one was asked for. */
    csr: Type.Optional(Type.String()),
  },
  closed,
);

/** What came of an ask: problems, none where it was done. */
export type AuthorityAnswer = Static<typeof ANSWER>;

const answerChecker = Compile(ANSWER);

/** Reads the answer to one ask; undefined while there is none, or only that to another. */
export function readAuthorityAnswer(
  text: string | undefined,
  ask: string,
): Result<{ readonly csr?: string }> | undefined {
  const json = text === undefined ? undefined : readStrictJson(text, "The answer");
  if (!json?.ok || !answerChecker.Check(json.value) || json.value.ask !== ask) return undefined;
  const { problems, csr } = json.value;
  if (problems.length > 0) return refuseAll(problems.map((each) => ({ ...each, code: codeOf(each.code) })));
  return ok(csr === undefined ? {} : { csr });
}

const codeOf = (code: string): ProblemCode => (Object.hasOwn(PROBLEM_CODES, code) ? (code as ProblemCode) : "INTERNAL");

/** An ask or an answer as JSON. */
export const renderAuthorityMessage = (message: AuthorityAsk | AuthorityAnswer): string =>
  `${JSON.stringify(message)}\n`;
