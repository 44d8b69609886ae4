import { painter, type Paint } from "./paint.ts";
import { DECISION_COLORS } from "./review-view.ts";
import { table } from "./table.ts";
import type { WhyReport } from "./why-report.ts";

/** A report for people. */
export function whyText(report: WhyReport, color: boolean): string {
  const paint = painter(color);
  return [
    heading(report, paint),
    section("Decided by", report.decided.map((line) => `  ${line}\n`).join(""), paint),
    section(`Roles that can be held in ${report.namespace}`, rolesText(report), paint),
    section("Definitions", definitionsText(report), paint),
    section("Problems", report.problems.map((problem) => problemText(problem, paint)).join("\n"), paint),
  ].join("");
}

function heading(report: WhyReport, paint: Paint): string {
  const who = report.role === null ? "no role" : `role ${report.role}, segment ${report.segment ?? ""}`;
  const decision = paint(DECISION_COLORS[report.verdict], report.verdict);
  const creator = report.creator === null ? "" : `, created by ${report.creator}`;
  return [
    `${decision}  ${report.kind} ${report.namespace}/${report.name}  ${who}`,
    `  ${report.source}, at ${report.at}`,
    `  account ${report.namespace}/${report.serviceAccount}${creator}`,
    ...(report.spiffeId === null ? [] : [`  ${report.spiffeId}`]),
    "",
  ].join("\n");
}

const section = (title: string, body: string, paint: Paint): string =>
  body === "" ? "" : `\n${paint("bold", title)}\n${body}`;

function rolesText({ candidates }: WhyReport): string {
  if (candidates.length === 0) return "  none\n";
  const rows = candidates.map(({ name, segment, fits, misfit, source }) => [
    `  ${fits ? "fits" : "does not fit"}`,
    name,
    `segment ${segment}`,
    source,
    misfit ?? "",
  ]);
  return table(rows);
}

function definitionsText({ definitions: { namespace, role, segment, exception } }: WhyReport): string {
  const rows: (readonly string[])[] = [];
  if (namespace !== null) rows.push(["  namespace", "", namespace, ""]);
  if (role) rows.push(["  role", role.name, role.source, approvalWord(role.approval)]);
  if (segment) rows.push(["  segment", segment.name, segment.source, approvalWord(segment.approval)]);
  if (exception)
    rows.push([
      "  exception",
      exception.name,
      exception.source,
      `${exception.state}, ${exception.left}${exception.state === "active" ? " left" : ""}; ${approvalWord(exception.approval)}`,
    ]);
  return table(rows);
}

function approvalWord(approval: NonNullable<WhyReport["definitions"]["role"]>["approval"]): string {
  if (approval.state === "unchecked") return "approval unchecked";
  if (approval.state === "unsigned") return "not granted by a signature";
  if (approval.state === "missing") return `generation ${approval.generation} waits for approval`;
  return `generation ${approval.generation} approved by ${approval.by.join(", ")}`;
}

function problemText(
  { code, path, message, source, rule, mend, command }: WhyReport["problems"][number],
  paint: Paint,
): string {
  return [
    `  ${paint("bold", code)} ${path === "" ? "" : `${path}: `}${message}`,
    `    at    ${source}`,
    `    rule  ${rule}`,
    `    mend  ${mend}`,
    `          $ ${command}`,
    "",
  ].join("\n");
}
