import { PROBLEM_CODES } from "../../src/domain/problem-codes.ts";

/** docs/problems.md: what `signet help CODE` says, for every code. */
export function problemDocs(): string {
  const entries = Object.entries(PROBLEM_CODES).map(
    ([code, { title, why, mend }]) => `## ${code}\n\n${title}\n\n**Why.** ${why}\n\n**Mend.** ${mend}\n`,
  );
  return `<!-- Made by \`npm run manifests\` from src/domain/problem-codes.ts; edits are lost. -->

# Problem codes

Every refusal and every finding of Signet carries one of these codes. Codes are stable: scripts may match on them. \`signet help CODE\` says the same in a terminal.

${entries.join("\n")}`;
}
