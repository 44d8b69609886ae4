import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PROBLEM_CODES } from "../../src/domain/problem-codes.ts";

/** Codes that no source speaks yet, and who will. Empty is best. */
const RESERVED: Readonly<Record<string, string>> = {
  STAMP_MISSING: "validation, of an object that mutation has not stamped",
  REVIEW_INVALID: "the webhooks",
  NOT_READY: "the server while it starts or drains",
  LEDGER_BROKEN: "`signet ledger verify`",
};

const files = (folder: string): readonly string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });

const sources = files("src")
  .filter((path) => path.endsWith(".ts") && !path.endsWith("problem-codes.ts"))
  .map((path) => readFileSync(path, "utf8"))
  .join("\n");

test("every code is spoken by some source, or reserved with a reason", () => {
  const silent = Object.keys(PROBLEM_CODES).filter((code) => !new RegExp(`\\b${code}\\b`).test(sources));
  expect(silent.filter((code) => !Object.hasOwn(RESERVED, code))).toEqual([]);
});

test("reserved codes are in the table", () => {
  expect(Object.keys(RESERVED).filter((code) => !Object.hasOwn(PROBLEM_CODES, code))).toEqual([]);
});

test.each(Object.entries(PROBLEM_CODES))("%s is explained in whole sentences", (code, { title, why, mend }) => {
  expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
  for (const text of [title, why, mend]) expect(text).toMatch(/^[A-Z`/0-9].*\.$/s);
});

test("the commands that explanations name are commands", () => {
  const named = [...JSON.stringify(PROBLEM_CODES).matchAll(/`signet ([a-z]+)/g)].map((match) => match[1]);
  const program = readFileSync("docs/cli.md", "utf8");
  expect(
    [...new Set(named)]
      .filter((name) => !program.includes(`## signet ${name}`))
      .filter((name) => !LATER.has(name ?? "")),
  ).toEqual([]);
});

/** Commands that other parts of Signet bring. */
const LATER: ReadonlySet<string> = new Set(["policy"]);
