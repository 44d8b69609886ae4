import { type Exposure, type ExposureReport, exposedPortsText } from "../policy/analysis/exposure.ts";
import { type Focus, isCalled, onFocusPort } from "../policy/analysis/focus.ts";
import type { Inside } from "../policy/model/endpoint.ts";
import { DIRECTIONS, type Direction } from "../policy/model/policy.ts";
import { type Row, csvCell, markdownCell } from "./policy-listing-tables.ts";

const TITLES: Readonly<Record<Direction, { readonly title: string; readonly arrow: string }>> = {
  egress: { title: "Egress", arrow: "=>" },
  ingress: { title: "Ingress", arrow: "<=" },
};

/** The part of a report that is asked for. */
export function focusedReport(report: ExposureReport, focus: Focus): ExposureReport {
  const asked = (workload: Inside, direction: Direction): boolean =>
    focus.workloads.length === 0 ||
    (focus.workloads.some((name) => isCalled(workload, name)) && (focus.direction ?? direction) === direction);
  return {
    exposures: report.exposures.filter(
      ({ workload, direction, ports }) => asked(workload, direction) && onFocusPort(focus, ports),
    ),
    unprotected: report.unprotected.filter(({ workload, direction }) => asked(workload, direction)),
  };
}

/** The report in np-guard's form. */
export function renderExposureText(report: ExposureReport, focus: Focus): string {
  const width = Math.max(0, ...report.exposures.map(({ workload }) => workload.text.length));
  const blocks = DIRECTIONS.flatMap((direction) => {
    const lines = report.exposures
      .filter((one) => one.direction === direction)
      .map((one) => lineOf(one, width, focus))
      .sort();
    return lines.length === 0 ? [] : [[`${TITLES[direction].title} Exposure:`, ...lines, ""].join("\n")];
  });
  const bare = report.unprotected
    .map(({ workload, direction }) => `${workload.text} is not protected on ${TITLES[direction].title}\n`)
    .sort();
  const all = [
    ...blocks,
    ...(bare.length > 0 ? [`Workloads not protected by network policies:\n${bare.join("")}`] : []),
  ];
  return `Exposure Analysis Result:\n${all.join("\n")}`;
}

const lineOf = (exposure: Exposure, width: number, focus: Focus): string =>
  `${exposure.workload.text.padEnd(width)} \t${TITLES[exposure.direction].arrow} \t${exposure.peer}` +
  (focus.conn ? "" : ` : ${exposedPortsText(exposure)}`);

const rowOf = (exposure: Exposure, focus: Focus): Row => ({
  src: exposure.direction === "egress" ? exposure.workload.text : exposure.peer,
  dst: exposure.direction === "egress" ? exposure.peer : exposure.workload.text,
  ...(focus.conn ? {} : { conn: exposedPortsText(exposure) }),
});

/** np-guard's object: the list under one key, exposure by direction under another; null where there is none. */
export function exposureJson(rows: readonly Row[], report: ExposureReport, focus: Focus): string {
  const of = (direction: Direction): readonly Row[] | null => {
    const found = report.exposures
      .filter((one) => one.direction === direction)
      .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
      .map((one) => rowOf(one, focus));
    return found.length === 0 ? null : found;
  };
  const [list, exposure] = focus.conn
    ? ["connlist_conn_focus_results", "exposure_conn_focus_results"]
    : ["connlist_results", "exposure_results"];
  return `${JSON.stringify({ [list]: rows, [exposure]: { egress_exposure: of("egress"), ingress_exposure: of("ingress") } }, null, 2)}\n`;
}

const sortKey = ({ workload, peer }: Exposure): string => `${workload.text} ${peer}`;

/** Exposure rows after those of the list, as comma-separated values or as a Markdown table. */
export function exposureTable(report: ExposureReport, focus: Focus, format: "csv" | "md"): string {
  const rows = report.exposures.map((one) => ({ direction: one.direction, ...rowOf(one, focus) }));
  const table = [
    ["direction", "src", "dst", "conn"],
    ...rows.map((row) => [row.direction, row.src, row.dst, row.conn ?? ""]),
  ];
  if (format === "csv") return table.map((row) => `${row.map(csvCell).join(",")}\n`).join("");
  const [header = [], ...body] = table;
  return [header, header.map(() => "---"), ...body].map((row) => `| ${row.map(markdownCell).join(" | ")} |\n`).join("");
}
