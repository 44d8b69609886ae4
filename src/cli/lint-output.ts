import { problemLine } from "../domain/problem.ts";
import { PROBLEM_CODES } from "../domain/problem-codes.ts";
import type { Finding } from "../identity/lint/finding.ts";
import { painter } from "./paint.ts";

/** A finding as it is reported, with the place of its field. */
export type Reported = Finding;

/** Findings as compilers print them, and how many there are. */
export function lintText(reported: readonly Reported[], color: boolean): string {
  const paint = painter(color);
  const lines = reported.map(({ weight, problem }) => {
    const mend = problem.mend === undefined ? "" : `        ${problem.mend}\n`;
    return `${paint(weight === "error" ? "red" : "yellow", weight)} ${paint("bold", problem.code)} ${problemLine(problem)}\n${mend}`;
  });
  return `${lines.join("")}${lines.length > 0 ? "\n" : ""}${summary(reported)}\n`;
}

function summary(reported: readonly Reported[]): string {
  const errors = reported.filter(({ weight }) => weight === "error").length;
  const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? "" : "s"}`;
  if (reported.length === 0) return "Nothing found.";
  return `${count(errors, "error")}, ${count(reported.length - errors, "warning")}.`;
}

/** Findings as a JSON array. */
export const jsonText = (reported: readonly Reported[]): string =>
  `${JSON.stringify(
    reported.map(({ weight, subject, problem: { code, path, message, mend, source } }) => ({
      code,
      weight,
      kind: subject.kind,
      namespace: subject.namespace ?? null,
      name: subject.name,
      path,
      message,
      mend: mend ?? null,
      file: source?.file ?? null,
      line: source?.line ?? null,
      column: source?.column ?? null,
    })),
    null,
    2,
  )}\n`;

/** Findings as workflow commands of GitHub Actions, which shows them beside the line. */
export const githubText = (reported: readonly Reported[]): string =>
  reported
    .map(({ weight, problem: { code, message, mend, source } }) => {
      const place = source ? `file=${property(source.file)},line=${source.line},col=${source.column},` : "";
      return `::${weight} ${place}title=${code}::${data(mend === undefined ? message : `${message} ${mend}`)}\n`;
    })
    .join("");

const data = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");

/** Findings as SARIF 2.1.0, for code scanning. */
export function sarifText(reported: readonly Reported[]): string {
  const codes = [...new Set(reported.map(({ problem }) => problem.code))].sort();
  const rules = codes.map((id) => ({
    id,
    shortDescription: { text: PROBLEM_CODES[id].title },
    fullDescription: { text: PROBLEM_CODES[id].why },
    help: { text: PROBLEM_CODES[id].mend },
  }));
  const run = { tool: { driver: { name: "signet", rules } }, results: reported.map(sarifResult) };
  const log = { $schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function sarifResult({ weight, problem: { code, message, mend, source } }: Reported): object {
  const region = source && { startLine: source.line, startColumn: source.column };
  const uri = source?.file.split("/").map(encodeURIComponent).join("/");
  return {
    ruleId: code,
    level: weight,
    message: { text: mend === undefined ? message : `${message} ${mend}` },
    locations: source ? [{ physicalLocation: { artifactLocation: { uri }, region } }] : [],
  };
}
