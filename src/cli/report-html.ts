import { sha256Base64 } from "../domain/sha256.ts";
import type { ReportedWorkload, ReportModel } from "./report-model.ts";

const STYLE = `
:root { color-scheme: light dark; --paper: light-dark(#f5f6fa, #10141d); --card: light-dark(#fff, #181e2a);
  --edge: light-dark(#dfe3ec, #2a3343); --text: light-dark(#1b2333, #e6eaf3); --soft: light-dark(#647089, #95a1b8);
  --pass: light-dark(#19733a, #68d391); --warn: light-dark(#b3541e, #f6ad6f); --fail: light-dark(#b3261e, #fc8181); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 1.5rem; background: var(--paper); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; } p { color: var(--soft); margin: .25rem 0; }
ul.counts { display: flex; flex-wrap: wrap; gap: 1rem; padding: 0; margin: 1.25rem 0; list-style: none; }
ul.counts li { flex: 1 1 10rem; background: var(--card); border: 1px solid var(--edge); border-radius: 8px; padding: .75rem 1rem; }
ul.counts b { display: block; font-size: 1.75rem; line-height: 1.2; }
details { background: var(--card); border: 1px solid var(--edge); border-radius: 8px; margin: .5rem 0; overflow-x: auto; }
summary { cursor: pointer; padding: .6rem 1rem; font-weight: 600; } summary span { font-weight: 400; color: var(--soft); }
table { border-collapse: collapse; width: 100%; } th { text-align: left; color: var(--soft); font-weight: 600; }
th, td { padding: .4rem 1rem; border-top: 1px solid var(--edge); vertical-align: top; } code { font-size: .9em; }
.pass { color: var(--pass); } .warn { color: var(--warn); } .fail { color: var(--fail); }
@media print { body { max-width: none; } details { break-inside: avoid; } }
`;

/** Nothing is loaded and nothing runs: only this style, known by its hash (CSP Level 3). */
const POLICY = `default-src 'none'; style-src 'sha256-${sha256Base64(STYLE)}'; base-uri 'none'; form-action 'none'`;

/** A report as one page that needs nothing but a browser, to be read, printed or sent. */
export const renderReportHtml = (report: ReportModel): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What would start now</title>
<style>${STYLE}</style>
</head>
<body>
<h1>What would start now</h1>
<p>Every workload judged as admission would judge it at ${escape(report.at)}.</p>
${countsOf(report)}
<h2>Namespaces</h2>
${report.namespaces.map(namespaceOf).join("\n") || "<p>Nothing runs in an enrolled namespace, and nothing holds a role.</p>"}
${exceptionsOf(report)}
</body>
</html>
`;

const LABELS = { fail: "would be refused", warn: "with warnings", pass: "pass" } as const;
const ORDER = ["fail", "warn", "pass"] as const;

const countsOf = ({ counts }: ReportModel): string =>
  `<ul class="counts">${ORDER.map((each) => `<li><b class="${each}">${counts[each]}</b>${LABELS[each]}</li>`).join("")}</ul>`;

function namespaceOf({ namespace, counts, workloads }: ReportModel["namespaces"][number]): string {
  const said = ORDER.filter((each) => counts[each] > 0).map((each) => `${counts[each]} ${LABELS[each]}`);
  const rows = workloads.flatMap((workload) => (workload.findings.length > 0 ? [workloadOf(workload)] : []));
  const body =
    rows.length === 0
      ? ""
      : `<table><tr><th>Workload</th><th>Role</th><th>Result</th><th>Why</th></tr>${rows.join("")}</table>`;
  return `<details${counts.fail > 0 ? " open" : ""}><summary>${escape(namespace)} <span>${said.join(", ")}</span></summary>${body}</details>`;
}

const workloadOf = ({ kind, name, role, result, findings }: ReportedWorkload): string =>
  `<tr><td>${escape(kind)} ${escape(name)}</td><td>${escape(role) || "–"}</td><td class="${result}">${LABELS[result]}</td>` +
  `<td>${findings.map(({ code, message }) => `<code>${escape(code)}</code> ${escape(message)}`).join("<br>")}</td></tr>`;

function exceptionsOf({ exceptions }: ReportModel): string {
  if (exceptions.length === 0) return "";
  const rows = exceptions.map(
    ({ namespace, name, permits, role, state, left, reason, ticket }) =>
      `<tr>${[`${namespace}/${name}`, permits, role, state, left, reason, ticket ?? ""].map((cell) => `<td>${escape(cell)}</td>`).join("")}</tr>`,
  );
  const headings = ["Exception", "Permits", "Role", "State", "Left", "Reason", "Ticket"];
  return `<h2>Exceptions</h2>\n<details open><summary>${exceptions.length} in all</summary><table><tr>${headings.map((each) => `<th>${each}</th>`).join("")}</tr>${rows.join("")}</table></details>`;
}

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
