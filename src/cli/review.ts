import type { Command } from "commander";
import { stringify } from "yaml";
import { type Reviewed, review } from "../admission/review.ts";
import type { Catalogue } from "../domain/catalogue.ts";
import { ok, type Problem, problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { type KubeObject, readObjects } from "../wire/objects.ts";
import { metadataPresence } from "../wire/presence.ts";
import { readWorkload } from "../wire/workloads.ts";
import { badInput, type Outcome } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";
import { loadCatalogue } from "./load-catalogue.ts";
import { painter } from "./paint.ts";
import { reviewView } from "./review-view.ts";
import { withNamespaces } from "./with-namespaces.ts";

/** How a review is asked for. */
export type ReviewOptions = {
  readonly catalogue?: string;
  readonly output: "text" | "json" | "yaml";
  readonly requireApproval?: boolean;
  readonly namespace?: string;
  readonly as?: string;
};

const EXAMPLES = `
Examples:
  $ signet review deploy/ --catalogue policy/
  $ kubectl get pods -A -o yaml | signet review - --catalogue policy/ --output json
  $ signet review app.yaml --catalogue exported/ --require-approval

Exit codes: 0 all admitted, 2 bad input, 3 something refused.
`;

/** Adds `signet review`. */
export function addReviewCommand(program: Command, io: Io, outcome: Outcome): void {
  program
    .command("review")
    .summary("judge workloads as admission would")
    .description(
      "Judges Pods, VMs and the templates of Deployments and the rest as admission would, without a cluster.",
    )
    .argument("<path...>", "files, folders, or - for standard input")
    .option("-c, --catalogue <dir>", "folder with Segments, WorkloadRoles and Namespaces [SIGNET_CATALOGUE]")
    .option("-o, --output <format>", "text, json or yaml", "text")
    .option("--require-approval", "refuse what is not known to be approved")
    .option("-n, --namespace <name>", "namespace of objects that name none", "default")
    .option("--as <user>", "judge as if this user created the objects")
    .addHelpText("after", EXAMPLES)
    .action((paths: string[], options: ReviewOptions) => {
      outcome.code = runReview(io, paths, options);
    });
}

function runReview(io: Io, paths: readonly string[], options: ReviewOptions): ExitCode {
  if (!["text", "json", "yaml"].includes(options.output))
    return badInput(io, [
      problem("USAGE", "--output", `There is no output "${options.output}".`, "Use text, json or yaml."),
    ]);
  const reviewed = reviewPaths(io, paths, options);
  if (!reviewed.ok) return badInput(io, reviewed.problems);
  io.out(render(io, reviewed.value, options.output));
  return reviewed.value.some(({ verdict }) => verdict.decision === "deny") ? 3 : 0;
}

/** Reads and judges every workload of the paths, in the order in which they stand there. */
export function reviewPaths(io: Io, paths: readonly string[], options: ReviewOptions): Result<readonly Reviewed[]> {
  const loaded = loadCatalogue(io, options.catalogue);
  const files = io.readInputs(paths);
  if (!loaded.ok || !files.ok) return refuseAll([loaded, files].flatMap((each) => (each.ok ? [] : each.problems)));
  const objects = readObjects(files.value);
  if (!objects.ok) return objects;
  const catalogue = withNamespaces(loaded.value.catalogue, objects.value.objects, options.requireApproval === true);
  return catalogue.ok ? judgeAll(io, catalogue.value, objects.value.objects, options) : catalogue;
}

function judgeAll(
  io: Io,
  catalogue: Catalogue,
  objects: readonly KubeObject[],
  options: ReviewOptions,
): Result<readonly Reviewed[]> {
  const problems: Problem[] = [];
  const reviewed: Reviewed[] = [];
  const terms = { now: io.now(), requireApproval: options.requireApproval === true };
  for (const object of objects) {
    const around = { namespace: object.namespace || options.namespace || "default" };
    const workload = readWorkload(object, options.as === undefined ? around : { ...around, creator: options.as });
    if (!workload.ok) problems.push(...workload.problems);
    else if (workload.value) reviewed.push(review(catalogue, workload.value, metadataPresence(object.raw), terms));
  }
  if (problems.length > 0) return refuseAll(problems);
  if (reviewed.length > 0) return ok(reviewed);
  return refuse(
    "INPUT_EMPTY",
    "",
    "The input holds no workload.",
    "Name files with Pods, Deployments, VMs or other workloads.",
  );
}

function render(io: Io, reviewed: readonly Reviewed[], output: ReviewOptions["output"]): string {
  if (output === "json") return `${JSON.stringify(reviewed.map(reviewView), null, 2)}\n`;
  if (output === "yaml") return stringify(reviewed.map(reviewView));
  return reviewed.map((each) => textOf(io, each)).join("") + summary(reviewed);
}

const COLORS = { admit: "green", warn: "yellow", deny: "red" } as const;

function textOf(io: Io, { workload, verdict }: Reviewed): string {
  const paint = painter(io.color);
  const { kind, namespace, name } = workload.object;
  const decision = paint(COLORS[verdict.decision], verdict.decision.padEnd(5));
  const who = verdict.identity
    ? `role ${verdict.identity.role.name}, segment ${verdict.identity.segment.name}, ${verdict.identity.spiffeId}`
    : "no role";
  const lines = verdict.problems.map(
    ({ code, path, message, mend }) =>
      `       ${paint("bold", code)} ${path === "" ? "" : `${path}: `}${message}\n${mend ? `         ${mend}\n` : ""}`,
  );
  return `${decision}  ${kind} ${namespace}/${name}  ${who}\n${lines.join("")}`;
}

function summary(reviewed: readonly Reviewed[]): string {
  const count = (decision: string): number => reviewed.filter(({ verdict }) => verdict.decision === decision).length;
  const unchecked = reviewed.some(({ verdict }) => verdict.approval === "unchecked");
  const approval = unchecked ? " approval: unchecked (a folder carries no approvals)." : "";
  return `\n${count("admit")} admitted, ${count("warn")} with warnings, ${count("deny")} refused.${approval}\n`;
}
