import type { Source } from "../domain/problem.ts";
import { PROBLEM_CODES, type ProblemCode } from "../domain/problem-codes.ts";

/** One finding for a code-scanning tool. */
export type SarifResult = {
  readonly code: ProblemCode;
  readonly level: "error" | "warning" | "note";
  readonly message: string;
  readonly source?: Source;
};

/** A SARIF 2.1.0 log (OASIS) of the findings. */
export function renderSarif(results: readonly SarifResult[]): string {
  const codes = [...new Set(results.map(({ code }) => code))].sort();
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "signet",
            rules: codes.map((code) => ({
              id: code,
              shortDescription: { text: PROBLEM_CODES[code].title },
              fullDescription: { text: PROBLEM_CODES[code].why },
              help: { text: PROBLEM_CODES[code].mend },
            })),
          },
        },
        results: results.map(({ code, level, message, source }) => ({
          ruleId: code,
          ruleIndex: codes.indexOf(code),
          level,
          message: { text: message },
          ...(source ? { locations: [locationOf(source)] } : {}),
        })),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

const locationOf = ({ file, line, column }: Source) => ({
  physicalLocation: { artifactLocation: { uri: file }, region: { startLine: line, startColumn: column } },
});
