import { type Change, plainText } from "../policy/analysis/diff.ts";
import { portSetText } from "../policy/sets/port-set.ts";
import { csvCell, markdownCell } from "./policy-listing-tables.ts";
import { networkText } from "./policy-listing-text.ts";

const KINDS: readonly Change["kind"][] = ["changed", "added", "removed"];

/** np-guard's form, one line a change. */
export function renderDiffConformance(changes: readonly Change[]): string {
  const lines = ordered(changes).map((change) => {
    const info = workloadsInfo(change);
    return (
      `diff-type: ${change.kind}, source: ${plainText(change.source)}, destination: ${plainText(change.destination)}, ` +
      `ref1: ${portSetText(change.before)}, ref2: ${portSetText(change.after)}${info === "" ? "" : `, workloads-diff-info: ${info}`}`
    );
  });
  return lines.length === 0 ? "" : `Connectivity diff:\n${lines.map((line) => `${line}\n`).join("")}`;
}

/** The same columns as comma-separated values. */
export const renderDiffCsv = (changes: readonly Change[]): string =>
  [
    ["diff-type", "source", "destination", "ref1", "ref2", "workloads-diff-info"],
    ...ordered(changes).map((change) => [
      change.kind,
      plainText(change.source),
      plainText(change.destination),
      portSetText(change.before),
      portSetText(change.after),
      workloadsInfo(change),
    ]),
  ]
    .map((row) => `${row.map(csvCell).join(",")}\n`)
    .join("");

const ordered = (changes: readonly Change[]): readonly Change[] =>
  KINDS.flatMap((kind) => changes.filter((change) => change.kind === kind).sort(byText));

const byText = (a: Change, b: Change): number => (pairText(a) < pairText(b) ? -1 : pairText(a) > pairText(b) ? 1 : 0);

const pairText = ({ source, destination }: Change): string => `${plainText(source)} => ${plainText(destination)}`;

const workloadsInfo = ({ workloads, kind }: Change): string =>
  workloads.length === 0 ? "" : `workload ${workloads.join(" and ")} ${kind}`;

/** For people: what each pair gains (+) and loses (-). */
export function renderDiffText(changes: readonly Change[]): string {
  if (changes.length === 0) return "No difference: both allow the same connections.\n";
  const lines = [...changes]
    .sort(byText)
    .flatMap((change) => [
      ...(change.gained.length > 0 ? [`+ ${pairText(change)} : ${portSetText(change.gained)}${noteText(change)}`] : []),
      ...(change.lost.length > 0 ? [`- ${pairText(change)} : ${portSetText(change.lost)}${noteText(change)}`] : []),
    ]);
  return [...lines, "", summary(changes), ""].join("\n");
}

function noteText(change: Change): string {
  const network = change.network.kind === "pod-network" ? "" : `  (${networkText(change.network, "")})`;
  const workloads = workloadsInfo(change);
  return `${network}${workloads === "" ? "" : `  (${workloads})`}`;
}

const summary = (changes: readonly Change[]): string => {
  const [gained, lost] = [
    changes.filter(({ gained: ports }) => ports.length > 0),
    changes.filter(({ lost: ports }) => ports.length > 0),
  ];
  return `${count(gained.length)} gained connections, ${count(lost.length)} lost some.`;
};

const count = (pairs: number): string => `${pairs} ${pairs === 1 ? "pair" : "pairs"}`;

/** Plain data. */
export const renderDiffJson = (changes: readonly Change[]): string =>
  `${JSON.stringify(
    [...changes].sort(byText).map((change) => ({
      change: change.kind,
      ...(change.network.kind === "pod-network" ? {} : { network: networkText(change.network, "") }),
      src: plainText(change.source),
      dst: plainText(change.destination),
      before: portSetText(change.before),
      after: portSetText(change.after),
      gained: portSetText(change.gained),
      lost: portSetText(change.lost),
      ...(change.workloads.length > 0 ? { workloads: change.workloads } : {}),
    })),
    null,
    2,
  )}\n`;

/** For a pull request: a table of what is gained and lost. */
export function renderDiffMarkdown(changes: readonly Change[]): string {
  if (changes.length === 0) return "**Network policy:** both sides allow the same connections.\n";
  const rows = [...changes]
    .sort(byText)
    .map((change) => [
      plainText(change.source),
      plainText(change.destination),
      change.gained.length === 0 ? "" : portSetText(change.gained),
      change.lost.length === 0 ? "" : portSetText(change.lost),
      noteText(change).trim(),
    ]);
  const table = [["From", "To", "Gained", "Lost", "Note"], ["---", "---", "---", "---", "---"], ...rows];
  return `**Network policy:** ${summary(changes)}\n\n${table.map((row) => `| ${row.map(markdownCell).join(" | ")} |\n`).join("")}`;
}
