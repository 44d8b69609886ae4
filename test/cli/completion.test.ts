import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { signet } from "../fakes/io.ts";

const bash = await signet("completion bash");

/** What bash offers at the end of the line; it runs a real bash, that sources the script. */
function offered(line: string): readonly string[] {
  const words = line.split(/ |(?<==)|(?==)/);
  const script = `${bash.out}
COMP_WORDS=("$@")
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_signet
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const ran = spawnSync("bash", ["--norc", "-c", script, "bash", ...words], { encoding: "utf8" });
  expect(ran.stderr).toBe("");
  return ran.stdout.trim().split("\n");
}

test.each([
  ["signet rev", ["review", "revoke"]],
  ["signet catalogue ", ["export"]],
  ["signet catalogue export --o", ["--output"]],
  ["signet catalogue export --output ", ["yaml", "json"]],
  ["signet lint -o s", ["sarif"]],
  ["signet lint --output=g", ["github"]],
  ["signet lint --output=", ["text", "json", "sarif", "github"]],
  ["signet lint --str", ["--strict"]],
  [
    "signet review src/cli/comp",
    ["src/cli/completion-model.ts", "src/cli/completion-scripts.ts", "src/cli/completion.ts"],
  ],
  ["signet review x.yaml --catalogue src/wire/ki", ["src/wire/kinds.ts", "src/wire/kinds"]],
  ["signet review x.yaml --namespace ", [""]],
  ["signet completion ", ["bash", "zsh", "fish"]],
  ["signet help CAPABILITY_", ["CAPABILITY_ADDED"]],
  ["signet help comp", ["completion"]],
  ["signet roles -", ["-c", "--catalogue", "-o", "--output", "-h", "--help"]],
])("bash completes `%s`", (line, words) => {
  expect([...offered(line)].sort()).toEqual([...words].sort());
});

test("bash completes every command by its first letters", { timeout: 60_000 }, () => {
  const commands = offered("signet ");
  expect(commands).toEqual(expect.arrayContaining(["review", "why", "lint", "help"]));
  for (const command of commands) expect(offered(`signet ${command.slice(0, -1)}`)).toContain(command);
});

test("an unknown shell is refused", async () => {
  expect(await signet("completion tcsh")).toMatchObject({
    code: 2,
    err: "error: command-argument value 'tcsh' is invalid for argument 'shell'. Allowed choices are bash, zsh, fish.\n(`signet help` shows all commands)\n",
  });
});

test.each(["zsh", "fish"])("the script for %s names every command, option and format", async (shell) => {
  const { out, code } = await signet(`completion ${shell}`);
  expect(code).toBe(0);
  for (const word of ["review", "catalogue export", "output", "sarif", "ROLE_NONE"]) expect(out).toContain(word);
});
