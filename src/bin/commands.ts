import { readFileSync } from "node:fs";
import process from "node:process";
import { addApprovalsCommand } from "../cli/approvals.ts";
import { addApproveCommands } from "../cli/approve.ts";
import { addCatalogueCommand } from "../cli/catalogue-export.ts";
import { addCompletionCommand } from "../cli/completion.ts";
import { addCrdsCommand } from "../cli/crds.ts";
import { addExceptionCommands } from "../cli/exception-commands.ts";
import { addGrantCommands } from "../cli/grant-commands.ts";
import { addCaCommand } from "../cli/ca/command.ts";
import type { OpenKube } from "../cli/kube-access.ts";
import { addConfigCommand } from "../cli/config.ts";
import { addFlowsCommand } from "../cli/flows.ts";
import { addHelpCommand } from "../cli/help.ts";
import { addInitCommand } from "../cli/init.ts";
import { addLedgerCommand } from "../cli/ledger.ts";
import { addLintCommand } from "../cli/lint.ts";
import { addPolicyCommands } from "../cli/policy-commands.ts";
import { addPublishCommands } from "../cli/policy-publish.ts";
import type { OpenDatabase } from "../cli/database-access.ts";
import type { OpenPublishing } from "../cli/publish-access.ts";
import type { AddCommand } from "../cli/program.ts";
import { addQuarantineCommand } from "../cli/quarantine.ts";
import { addReachCommand } from "../cli/reach.ts";
import { addReportCommand } from "../cli/report.ts";
import { addReviewCommand } from "../cli/review.ts";
import { addRevokeCommand } from "../cli/revoke.ts";
import { addStageCommands } from "../cli/stage-commands.ts";
import { svidCommand } from "../cli/svid.ts";
import { addTableCommands } from "../cli/tables.ts";
import { type Version, versionCommand } from "../cli/version.ts";
import { addWhyCommand } from "../cli/why.ts";
import { addServerCommand } from "./server-command.ts";

const openPublishing: OpenPublishing = async (choice) => (await import("./open-publishing.ts")).openPublishing(choice);

const openDatabase: OpenDatabase = async (file) => (await import("./open-database.ts")).openDatabase(file);

const openKube: OpenKube = async (choice) => (await import("./open-kube.ts")).openKube(choice);

/** All commands; what is heavy behind them is loaded when it runs. The last two look at all the others. */
export const COMMANDS: readonly AddCommand[] = [
  addReviewCommand,
  addWhyCommand,
  addTableCommands,
  addLintCommand,
  addCatalogueCommand,
  addPolicyCommands,
  addReachCommand,
  addFlowsCommand,
  addCrdsCommand,
  addServerCommand,
  addInitCommand(openKube),
  addApproveCommands(openKube),
  addApprovalsCommand(openKube),
  addExceptionCommands(openKube),
  addGrantCommands,
  addReportCommand(openKube),
  addStageCommands(openKube),
  addPublishCommands(openPublishing, openDatabase),
  addLedgerCommand,
  svidCommand(async () => (await import("./svid-tools.ts")).svidTools),
  addCaCommand(async () => (await import("./ca-tools.ts")).caTools),
  addRevokeCommand,
  addQuarantineCommand(openKube, (ms) => new Promise((resolve) => void setTimeout(resolve, ms))),
  addConfigCommand,
  versionCommand(ownVersion),
  addCompletionCommand,
  addHelpCommand,
];

function ownVersion(): Version {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { readonly version: string };
  return { signet: version, node: process.versions.node, platform: `${process.platform}-${process.arch}` };
}
