import type { Definition } from "../../domain/definitions.ts";
import { type Problem, problem } from "../../domain/problem.ts";
import type { ProblemCode } from "../../domain/problem-codes.ts";

/** Which object a finding is about. */
export type Subject = { readonly kind: string; readonly namespace?: string; readonly name: string };

/** error: something is refused, dead or ambiguous; warning: it works, and will hurt somebody one day. */
export type Weight = "error" | "warning";

/** What lint found; `problem.path` is the path below the subject, `problem.source` where the subject stands. */
export type Finding = { readonly weight: Weight; readonly subject: Subject; readonly problem: Problem };

type Words = { readonly path: string; readonly message: string; readonly mend: string };

/** A definition, and its kind. */
export type Defined = {
  readonly kind: string;
  readonly definition: Pick<Definition, "name" | "source"> & { readonly namespace?: string };
};

/** A finding about a definition. */
export function finding(weight: Weight, code: ProblemCode, { kind, definition }: Defined, words: Words): Finding {
  const { name, namespace, source } = definition;
  const found = problem(code, words.path, words.message, words.mend);
  return {
    weight,
    subject: { kind, name, ...(namespace === undefined ? {} : { namespace }) },
    problem: source === undefined ? found : { ...found, source },
  };
}

/** `file:line` of a definition in brackets, or nothing. */
export const standing = ({ source }: Pick<Definition, "source">): string =>
  source === undefined ? "" : ` (${source.file}:${source.line})`;
