import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { LOSSES } from "../../../src/policy/compile/loss.ts";
import { TARGET_NAMES } from "../../../src/policy/compile/targets.ts";

const INDEX = readFileSync("docs/targets/README.md", "utf8");

test.each(Object.entries(LOSSES))(
  "%s stands among the losses, in the words of the report",
  (code, { says, control }) => {
    expect(INDEX).toContain(`| \`${code}\` | ${says} | ${control} |`);
  },
);

test("every target has a page", () => {
  const pages = TARGET_NAMES.map((name) => {
    const row = INDEX.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${name}\``));
    return /\]\((\w+\.md)\)/.exec(row ?? "")?.[1];
  });
  expect(pages.filter((page) => page === undefined || !existsSync(`docs/targets/${page}`))).toEqual([]);
});
