import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { type AddCommand, runCli } from "../cli/program.ts";
import { ok, refuse } from "../domain/problem.ts";
import { readInputs } from "../folder/read-inputs.ts";

/** A reader that has seen enough (`| head`) closes the pipe; that is no failure of ours. */
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (fault: NodeJS.ErrnoException) => {
    if (fault.code !== "EPIPE") throw fault;
  });

function written(path: string, text: string, options: { readonly mode?: number; readonly flag?: string }) {
  try {
    writeFileSync(path, text, options);
    return ok(undefined);
  } catch (fault) {
    return refuse("FILE_UNREADABLE", "", `"${path}" could not be written: ${String(fault)}`, "Check the folder.");
  }
}

function writtenAnew(path: string, text: string) {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (fault) {
    return refuse("FILE_UNREADABLE", "", `"${dirname(path)}" could not be made: ${String(fault)}`, "Check the folder.");
  }
  return written(path, text, { flag: "wx" });
}

/** A fault of ours: sysexits' EX_SOFTWARE, so that it is never taken for a difference (1) or a refusal (3). */
const FAULT = 70;

/** Runs what the process was given, with the process' own streams and files, and leaves its exit code. */
export async function runCommandLine(commands: readonly AddCommand[]): Promise<void> {
  try {
    process.exitCode = await runCli(
      {
        out: (text) => void process.stdout.write(text),
        err: (text) => void process.stderr.write(text),
        color: process.stdout.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb",
        now: () => Date.now(),
        env: process.env,
        readInputs,
        openLedger: async (state) => (await import("./open-ledger.ts")).openLedgerOf(state),
        openCopies: async (config) => (await import("./open-ledger.ts")).openCopiesOf(config),
        openFlows: async (state, how) => (await import("./open-flows.ts")).openFlowsOf(state, how),
        grants: {
          make: async () => (await import("./grant-keeper.ts")).makeKeys(),
          sign: async (key, payload) => (await import("./grant-keeper.ts")).sign(key, payload),
          verify: async (jws, keys) => (await import("./grant-keeper.ts")).verify(jws, keys),
          writeKey: (path, text) => written(path, text, { mode: 0o600, flag: "wx" }),
        },
        writeFile: (path, text) => written(path, text, {}),
        writeNew: writtenAnew,
      },
      process.argv.slice(2),
      commands,
    );
  } catch (fault) {
    process.stderr.write(
      `signet: a fault of ours [INTERNAL]\n${fault instanceof Error ? fault.stack : String(fault)}\n`,
    );
    process.exitCode = FAULT;
  }
}
