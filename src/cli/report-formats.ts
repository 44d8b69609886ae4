import { csvCell } from "./policy-listing-tables.ts";
import type { ReportModel } from "./report-model.ts";
import { renderReportHtml } from "./report-html.ts";
import { table } from "./table.ts";

type Row = {
  readonly namespace: string;
  readonly workload: string;
  readonly role: string;
  readonly segment: string;
  readonly result: string;
  readonly code: string;
  readonly message: string;
};

const COLUMNS = ["namespace", "workload", "role", "segment", "result", "code", "message"] as const;

/** One row for each finding, and one for a workload of which nothing is to be said. */
const rowsOf = ({ namespaces }: ReportModel): readonly Row[] =>
  namespaces.flatMap(({ namespace, workloads }) =>
    workloads.flatMap(({ kind, name, role, segment, result, findings }) => {
      const whose = { namespace, workload: `${kind}/${name}`, role, segment };
      return findings.length === 0
        ? [{ ...whose, result, code: "", message: "" }]
        : findings.map((finding) => ({ ...whose, ...finding }));
    }),
  );

/** Each form of a report, by the word of `--output`. */
export const REPORT_FORMATS: Readonly<Record<"text" | "csv" | "json" | "html", (report: ReportModel) => string>> = {
  text: (report) => textOf(report),
  csv: (report) => csvOf([COLUMNS, ...rowsOf(report).map((row) => COLUMNS.map((column) => row[column]))]),
  json: (report) => `${JSON.stringify(report, null, 2)}\n`,
  html: renderReportHtml,
};

/** What passes is counted and not listed. */
function textOf(report: ReportModel): string {
  const { pass, warn, fail } = report.counts;
  const listed = rowsOf(report).filter(({ code }) => code !== "");
  const rows = listed.map(({ namespace, workload, role, result, code, message }) => [
    namespace,
    workload,
    role || "-",
    result,
    code,
    message,
  ]);
  const list =
    rows.length === 0 ? "" : `${table([["NAMESPACE", "WORKLOAD", "ROLE", "RESULT", "CODE", "WHY"], ...rows])}\n`;
  return `${list}${fail} would be refused at the next start, ${warn} with warnings, ${pass} pass, as of ${report.at}.\n`;
}

/** RFC 4180; a cell that a spreadsheet would take for a formula is written as text. */
const csvOf = (rows: readonly (readonly string[])[]): string =>
  rows.map((row) => `${row.map((cell) => csvCell(guarded(cell))).join(",")}\r\n`).join("");

const guarded = (cell: string): string => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell);
