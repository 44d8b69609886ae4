import { addApprovalsCommand } from "../../src/cli/approvals.ts";
import { addApproveCommands } from "../../src/cli/approve.ts";
import { addExceptionCommands } from "../../src/cli/exception-commands.ts";
import { addStageCommands } from "../../src/cli/stage-commands.ts";
import type { Io } from "../../src/cli/io.ts";
import type { OpenKube } from "../../src/cli/kube-access.ts";
import { runCli } from "../../src/cli/program.ts";
import { addTableCommands } from "../../src/cli/tables.ts";
import { ok } from "../../src/domain/problem.ts";
import { NOON } from "../fakes/judging.ts";

/** What a command printed, and its exit code. */
export type Ran = { readonly code: number; readonly out: string; readonly err: string };

/** Runs one command line about approvals against the cluster that `open` opens; words of a text are split at spaces. */
export async function signet(open: OpenKube, line: string | readonly string[]): Promise<Ran> {
  const printed = { out: "", err: "" };
  const io: Io = {
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    color: false,
    now: () => NOON,
    env: {},
    readInputs: () => ok([]),
    writeFile: () => ok(undefined),
  };
  const commands = [
    addTableCommands,
    addApproveCommands(open),
    addApprovalsCommand(open),
    addExceptionCommands(open),
    addStageCommands(open),
  ];
  const code = await runCli(io, typeof line === "string" ? line.split(" ") : line, commands);
  return { code, ...printed };
}
