import { readFileSync } from "node:fs";
import process from "node:process";
import { addConfigCommand } from "../cli/config.ts";
import { ledgerCommand } from "../cli/ledger.ts";
import type { ExtraCommand } from "../cli/program.ts";
import { serverCommand } from "../cli/server.ts";
import { type Version, versionCommand } from "../cli/version.ts";

/** Commands that need more than files and a terminal; what is heavy is loaded when it runs. */
export const EXTRA_COMMANDS: readonly ExtraCommand[] = [
  serverCommand(async () => (await import("./server.ts")).serve),
  ledgerCommand(async (state) => (await import("./open-ledger.ts")).openLedgerOf(state)),
  addConfigCommand,
  versionCommand(ownVersion),
];

function ownVersion(): Version {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { readonly version: string };
  return { signet: version, node: process.versions.node, platform: `${process.platform}-${process.arch}` };
}
