import type { Listing } from "../policy/analysis/listing.ts";
import { portSetText } from "../policy/sets/port-set.ts";
import { networkText } from "./policy-listing-text.ts";

/** One row of a list; `conn` is left out where one port was asked for, `network` where there is only one. */
export type Row = { readonly network?: string; readonly src: string; readonly dst: string; readonly conn?: string };

/** The list as rows, network by network. */
export function rowsOf(listing: Listing): readonly Row[] {
  const several = listing.sections.length > 1;
  return listing.sections.flatMap(({ scene, connections }) =>
    connections.map(({ source, destination, ports }) => ({
      ...(several ? { network: networkText(scene.network, "pod-network") } : {}),
      src: source.text,
      dst: destination.text,
      ...(listing.focus.conn ? {} : { conn: portSetText(ports) }),
    })),
  );
}

/** A JSON array of `{src, dst, conn}`. */
export const renderListJson = (listing: Listing): string => `${JSON.stringify(rowsOf(listing), null, 2)}\n`;

/** Comma-separated values with a header line (RFC 4180). */
export const renderListCsv = (listing: Listing): string =>
  tableOf(rowsOf(listing))
    .map((row) => `${row.map(csvCell).join(",")}\n`)
    .join("");

/** A Markdown table. */
export function renderListMarkdown(listing: Listing): string {
  const [header = [], ...rows] = tableOf(rowsOf(listing));
  return [header, header.map(() => "---"), ...rows].map((row) => `| ${row.map(markdownCell).join(" | ")} |\n`).join("");
}

/** A header of the columns that are there, and the rows. */
function tableOf(rows: readonly Row[]): readonly (readonly string[])[] {
  const columns = COLUMNS.filter(
    (column) => column === "src" || column === "dst" || rows.some((row) => row[column] !== undefined),
  );
  return [columns, ...rows.map((row) => columns.map((column) => row[column] ?? ""))];
}

const COLUMNS = ["network", "src", "dst", "conn"] as const;

/** A cell of comma-separated values, quoted where it must be. */
export const csvCell = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** A cell of a Markdown table; a pipe would end it. */
export const markdownCell = (cell: string): string => cell.replaceAll("|", "\\|").replaceAll("\n", " ");
