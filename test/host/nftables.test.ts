import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** The rules of the estate's database machine, as compiled; test/policy/compile keeps this file true. */
const RULES = readFileSync("test/golden/compile/estate.nft", "utf8");

/** Runs a script in a network namespace of its own, with the rules as its input. */
const inNamespace = (script: string) =>
  spawnSync("unshare", ["--net", "bash", "--norc", "-c", script], { input: RULES, encoding: "utf8" });

test("what was compiled for a machine is a ruleset to the real nft", () => {
  const { status, stderr } = inNamespace("nft --check -f -");
  expect([status, stderr]).toEqual([0, ""]);
});

test("the kernel loads it, keeps the end of an exception itself, and loads it again without a gap", () => {
  const { status, stdout, stderr } = inNamespace(
    'rules=$(cat); for time in 1 2; do nft -f - <<< "$rules" || exit 1; done; nft list ruleset',
  );
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout.match(/^table /gm)).toEqual(["table "]);
  expect(stdout).toMatch(/10\.0\.0\.6 timeout 30d12h expires /);
  expect(stdout.match(/policy drop;/g)).toEqual(["policy drop;", "policy drop;"]);
});
