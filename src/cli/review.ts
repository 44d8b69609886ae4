import type { Command } from "commander";
import { yamlText } from "../wire/yaml-text.ts";
import { badInput, type Outcome } from "./action.ts";
import { addGrantOptions, type GrantOptions, readGrants } from "./grants.ts";
import type { ExitCode, Io } from "./io.ts";
import { atOption, catalogueOption, outputOption, withExamples } from "./options.ts";
import { painter } from "./paint.ts";
import { judgeAll, type ReviewedObject, readReviewInput, type ReviewTerms } from "./review-input.ts";
import { DECISION_COLORS, reviewView } from "./review-view.ts";

type ReviewOptions = ReviewTerms & GrantOptions & { readonly output: string };

/** Adds `signet review`. */
export function addReviewCommand(program: Command, io: Io, outcome: Outcome): void {
  const command = program
    .command("review")
    .summary("judge workloads as admission would")
    .description(
      "Judges Pods, VMs and the templates of Deployments and the rest as admission would, without a cluster.",
    )
    .argument("<path...>", "files, folders, or - for standard input")
    .addOption(catalogueOption())
    .addOption(outputOption(["text", "json", "yaml"]))
    .option("--require-approval", "refuse what is not known to be approved")
    .option("-n, --namespace <name>", "namespace of objects that name none", "default")
    .option("--as <user>", "judge as if this user created the objects")
    .addOption(atOption())
    .action(async (paths: string[], options: ReviewOptions) => {
      outcome.code = await runReview(io, paths, options);
    });
  addGrantOptions(command);
  withExamples(command, [
    "review deploy/ --catalogue policy/",
    "review app.yaml --catalogue exported/ --require-approval",
    "review - --catalogue policy/ --output json < pods.yaml",
  ]);
}

async function runReview(io: Io, paths: readonly string[], options: ReviewOptions): Promise<ExitCode> {
  const grants = await readGrants(io, options);
  const input = grants.ok ? readReviewInput(io, paths, options, grants.value) : grants;
  const reviewed = input.ok ? judgeAll(io, input.value, options) : input;
  if (!reviewed.ok) return badInput(io, reviewed.problems);
  io.out(render(io, reviewed.value, options.output));
  return reviewed.value.some(({ verdict }) => verdict.decision === "deny") ? 3 : 0;
}

function render(io: Io, reviewed: readonly ReviewedObject[], output: string): string {
  if (output === "json") return `${JSON.stringify(reviewed.map(reviewView), null, 2)}\n`;
  if (output === "yaml") return yamlText(reviewed.map(reviewView));
  return reviewed.map((each) => textOf(io, each)).join("") + summary(reviewed);
}

function textOf(io: Io, { workload, verdict }: ReviewedObject): string {
  const paint = painter(io.color);
  const { kind, namespace, name } = workload.object;
  const decision = paint(DECISION_COLORS[verdict.decision], verdict.decision.padEnd(5));
  const who = verdict.identity
    ? `role ${verdict.identity.role.name}, segment ${verdict.identity.segment.name}, ${verdict.identity.spiffeId}`
    : "no role";
  const lines = verdict.problems.map(
    ({ code, path, message, mend }) =>
      `       ${paint("bold", code)} ${path === "" ? "" : `${path}: `}${message}\n${mend ? `         ${mend}\n` : ""}`,
  );
  return `${decision}  ${kind} ${namespace}/${name}  ${who}\n${lines.join("")}`;
}

function summary(reviewed: readonly ReviewedObject[]): string {
  const count = (decision: string): number => reviewed.filter(({ verdict }) => verdict.decision === decision).length;
  const unchecked = reviewed.some(({ verdict }) => verdict.approval === "unchecked");
  const approval = unchecked ? " approval: unchecked (a folder carries no approvals)." : "";
  return `\n${count("admit")} admitted, ${count("warn")} with warnings, ${count("deny")} refused.${approval}\n`;
}
