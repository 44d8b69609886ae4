import { type Command, Option } from "commander";
import type { SignedGrants } from "../domain/grants.ts";
import { ok, type Result } from "../domain/problem.ts";
import { badInput, type Outcome } from "./action.ts";
import { addGrantOptions, granted, type GrantOptions, readGrants } from "./grants.ts";
import type { ExitCode, Io } from "./io.ts";
import type { KubeChoice, OpenKube } from "./kube-access.ts";
import { atOption, catalogueOption, withExamples } from "./options.ts";
import { REPORT_FORMATS } from "./report-formats.ts";
import { type ReportModel, reportOf } from "./report-model.ts";
import { judgeAll, readReviewInput, type ReviewTerms } from "./review-input.ts";
import { readRunning } from "./running.ts";

type Options = ReviewTerms & GrantOptions & KubeChoice & { readonly output: keyof typeof REPORT_FORMATS };

/** Adds `signet report`. */
export const addReportCommand =
  (open: OpenKube) =>
  (program: Command, io: Io, outcome: Outcome): void => {
    const command = program
      .command("report")
      .summary("report what would be refused now, of all that runs")
      .description(
        "Judges every Pod and machine that runs in a cluster, or every workload of the files, as admission would now.",
      )
      .argument("[path...]", "files and folders; left out: what runs in a cluster")
      .addOption(catalogueOption())
      .addOption(
        new Option("-o, --output <format>", "form of the output").choices(Object.keys(REPORT_FORMATS)).default("text"),
      )
      .option("--require-approval", "refuse what is not known to be approved")
      .addOption(atOption())
      .option("--kubeconfig <file>", "the cluster's kubeconfig [KUBECONFIG]")
      .option("--context <name>", "context of the kubeconfig")
      .action(async (paths: string[], options: Options) => {
        outcome.code = await run(io, open, paths, options);
      });
    addGrantOptions(command);
    withExamples(command, ["report", "report -o html > report.html", "report deploy/ -c policy/ -o csv"]);
  };

async function run(io: Io, open: OpenKube, paths: readonly string[], options: Options): Promise<ExitCode> {
  const grants = await readGrants(io, options);
  if (!grants.ok) return badInput(io, grants.problems);
  const asked = { ...options, signed: grants.value };
  const report = paths.length > 0 ? ofFiles(io, paths, asked) : await ofCluster(io, open, asked);
  if (!report.ok) return badInput(io, report.problems);
  io.out(REPORT_FORMATS[options.output](report.value));
  return report.value.counts.fail > 0 ? 3 : 0;
}

const termsOf = (io: Io, { at, requireApproval }: Options) => ({
  now: at ?? io.now(),
  requireApproval: requireApproval === true,
});

/** What was asked, with the grants that it named read. */
type Asked = Options & { readonly signed: SignedGrants };

function ofFiles(io: Io, paths: readonly string[], options: Asked): Result<ReportModel> {
  const input = readReviewInput(io, paths, options, options.signed);
  if (!input.ok) return input;
  const reviewed = judgeAll(io, input.value, options);
  if (!reviewed.ok) return reviewed;
  const workloads = reviewed.value.map(({ workload }) => workload);
  return ok(reportOf(input.value.catalogue, workloads, termsOf(io, options)));
}

async function ofCluster(io: Io, open: OpenKube, options: Asked): Promise<Result<ReportModel>> {
  const kube = await open(options);
  const running = kube.ok ? await readRunning(kube.value) : kube;
  if (!running.ok) return running;
  return ok(reportOf(granted(running.value.catalogue, options.signed), running.value.workloads, termsOf(io, options)));
}
