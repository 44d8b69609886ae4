#!/usr/bin/env node
import { writeFileSync } from "node:fs";
import process from "node:process";
import { addConfigCommand } from "../cli/config.ts";
import { ledgerCommand } from "../cli/ledger.ts";
import { runCli } from "../cli/program.ts";
import { serverCommand } from "../cli/server.ts";
import { ok, refuse } from "../domain/problem.ts";
import { readInputs } from "../folder/read-inputs.ts";

process.exitCode = await runCli(
  {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    color: process.stdout.isTTY && process.env["NO_COLOR"] === undefined,
    now: () => Date.now(),
    env: process.env,
    readInputs,
    writeFile: (path, text) => {
      try {
        writeFileSync(path, text);
        return ok(undefined);
      } catch (fault) {
        return refuse("FILE_UNREADABLE", "", `"${path}" could not be written: ${String(fault)}`, "Check the folder.");
      }
    },
  },
  process.argv.slice(2),
  [
    serverCommand(async () => (await import("./server.ts")).serve),
    ledgerCommand(async (state) => (await import("./open-ledger.ts")).openLedgerOf(state)),
    addConfigCommand,
  ],
);
