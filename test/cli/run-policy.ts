import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import type { Outcome } from "../../src/cli/action.ts";
import type { Io, TextFile } from "../../src/cli/io.ts";
import { addPolicyCommands } from "../../src/cli/policy-commands.ts";
import { ok, refuse, type Result } from "../../src/domain/problem.ts";

/** What a command printed, and its exit code. */
export type Ran = {
  readonly out: string;
  readonly err: string;
  readonly code: number;
  readonly written: ReadonlyMap<string, string>;
};

/** Runs `signet policy …` in this process, on files of the disk. */
export function runPolicy(args: readonly string[]): Ran {
  const [out, err]: [string[], string[]] = [[], []];
  const written = new Map<string, string>();
  const io: Io = {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    color: false,
    now: () => 0,
    env: {},
    readInputs,
    writeFile: (path, text) => {
      written.set(path, text);
      return ok(undefined);
    },
  };
  const outcome: Outcome = { code: 0 };
  const program = new Command().exitOverride().configureOutput({ writeErr: io.err, writeOut: io.out });
  addPolicyCommands(program, io, outcome);
  program.parse(["policy", ...args], { from: "user" });
  return { out: out.join(""), err: err.join(""), code: outcome.code, written };
}

/** Reads files as the command line does. */
export function readInputs(paths: readonly string[]): Result<readonly TextFile[]> {
  try {
    return ok(paths.flatMap((path) => filesBelow(path).map((name) => ({ name, text: readFileSync(name, "utf8") }))));
  } catch (fault) {
    return refuse("FILE_UNREADABLE", "", fault instanceof Error ? fault.message : String(fault));
  }
}

const filesBelow = (path: string): readonly string[] =>
  statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true, encoding: "utf8" })
        .filter((name) => /\.(?:ya?ml|json)$/.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path];
