import type { Command } from "commander";
import { EXEMPT_NAMESPACES } from "../domain/exempt-namespaces.ts";
import { ok, refuse, refuseAll, type Result } from "../domain/problem.ts";
import type { Workload } from "../domain/workload.ts";
import { type Proposal, propose } from "../learn/propose/propose.ts";
import { type KubeObject, readObjects } from "../wire/objects.ts";
import { readWorkload } from "../wire/workloads.ts";
import { badInput, type Outcome } from "./action.ts";
import { readCluster } from "./init-cluster.ts";
import { proposalFiles } from "./init-text.ts";
import type { ExitCode, Io } from "./io.ts";
import type { KubeChoice, OpenKube } from "./kube-access.ts";
import { withExamples } from "./options.ts";
import type { AddCommand } from "./program.ts";

type InitOptions = KubeChoice & {
  readonly cluster?: boolean;
  readonly namespace?: string;
  readonly domain: string;
  readonly out?: string;
};

const MORE = `Proposes one segment for each namespace and one role for each application. Where applications share a service account,
or have none, each gets one of its own, as patches to look at. Nothing is applied, and no file is overwritten.

Exit codes: 0 proposed, 2 bad input.`;

/** Adds `signet init`. */
export const addInitCommand =
  (open: OpenKube): AddCommand =>
  (program: Command, io: Io, outcome: Outcome): void => {
    const command = program
      .command("init")
      .summary("propose segments, roles and accounts for what is there")
      .description("Looks at manifests or a cluster and proposes a catalogue for it.")
      .argument("[path...]", "files, folders, or - for standard input")
      .option("--cluster", "look at the cluster of the kubeconfig instead")
      .option("--kubeconfig <file>", "the cluster's kubeconfig [KUBECONFIG]")
      .option("--context <name>", "context of the kubeconfig")
      .option("-n, --namespace <name>", "this namespace of the cluster alone; of manifests, where they name none")
      .option("--domain <name>", "the trust domain", "cluster.local")
      .option("-o, --out <dir>", "write the files there; left out: print them")
      .action(async (paths: string[], options: InitOptions) => {
        outcome.code = await init(io, open, paths, options);
      });
    withExamples(command, ["init deploy/ --out policy/", "init --cluster -n shop --domain prod.example.org"], MORE);
  };

async function init(io: Io, open: OpenKube, paths: readonly string[], options: InitOptions): Promise<ExitCode> {
  const objects = options.cluster ? await readCluster(open, options) : readFolder(io, paths);
  const workloads = objects.ok ? workloadsOf(objects.value, options.namespace ?? "default") : objects;
  if (!workloads.ok) return badInput(io, workloads.problems);
  const proposal = propose(workloads.value, EXEMPT_NAMESPACES);
  const files = proposalFiles(proposal, options.domain);
  const written = options.out === undefined ? printed(io, files) : writtenTo(io, files, options.out);
  if (!written.ok) return badInput(io, written.problems);
  io.err(summary(proposal, options.out));
  return 0;
}

function readFolder(io: Io, paths: readonly string[]): Result<readonly KubeObject[]> {
  if (paths.length === 0)
    return refuse(
      "USAGE",
      "",
      "Neither files nor a cluster are named.",
      "Write `signet init DIR`, or `signet init --cluster`.",
    );
  const files = io.readInputs(paths);
  const objects = files.ok ? readObjects(files.value) : files;
  return objects.ok ? ok(objects.value.objects) : objects;
}

function workloadsOf(objects: readonly KubeObject[], namespace: string): Result<readonly Workload[]> {
  const read = objects.map((object) => readWorkload(object, { namespace: object.namespace || namespace }));
  const problems = read.flatMap((each) => (each.ok ? [] : each.problems));
  if (problems.length > 0) return refuseAll(problems);
  const workloads = read.flatMap((each) => (each.ok && each.value ? [each.value] : []));
  if (workloads.length > 0) return ok(workloads);
  return refuse("INPUT_EMPTY", "", "There is no workload.", "Name files with Deployments, VMs or other workloads.");
}

type Files = Readonly<Record<string, string>>;

function printed(io: Io, files: Files): Result<undefined> {
  io.out(
    Object.entries(files)
      .map(([path, text]) => `# ${path}\n${text}`)
      .join("---\n"),
  );
  return ok(undefined);
}

function writtenTo(io: Io, files: Files, folder: string): Result<undefined> {
  const { writeNew } = io;
  if (!writeNew) return refuse("USAGE", "--out", "Files cannot be written here.", "Leave --out away.");
  for (const [path, text] of Object.entries(files)) {
    const done = writeNew(`${folder}/${path}`, text);
    if (!done.ok) return done;
  }
  return ok(undefined);
}

function summary({ segments, roles, patches, accounts }: Proposal, out: string | undefined): string {
  const counted = `${count(segments.length, "segment")}, ${count(roles.length, "role")}, ${count(accounts.length, "new account")}, ${count(patches.length, "patch", "patches")}`;
  if (out === undefined) return `Proposed: ${counted}. With --out DIR it is written into files.\n`;
  return `Proposed in ${out}: ${counted}. Next: signet lint ${out}/catalogue\n`;
}

const count = (number: number, word: string, words = `${word}s`): string => `${number} ${number === 1 ? word : words}`;
