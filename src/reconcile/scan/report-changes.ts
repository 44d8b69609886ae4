import { clusterReport, namespaceReport, type Report } from "./report.ts";
import type { NamespaceScan, Scan } from "./scan.ts";

/** What is to be done about reports: those to write, and the namespaces whose report goes. */
export type ReportChanges = { readonly write: readonly Report[]; readonly remove: readonly string[] };

/**
 * Which reports are to be written: those of namespaces that changed and say something else than what is there, by digest.
 * The key of `present` is the namespace, empty for the cluster's. Where nothing is known of a namespace any more its report
 * goes.
 */
export function decideReports(
  scan: Scan,
  present: ReadonlyMap<string, string>,
  changed: ReadonlySet<string>,
): ReportChanges {
  const running = scan.namespaces();
  const known = new Set(running);
  const remove = [...present.keys()].filter((name) => name !== "" && !known.has(name)).sort();
  const scans = running
    .filter((name) => changed.has(name) || !present.has(name))
    .flatMap((name) => scan.of(name) ?? []);
  const whole = changed.size > 0 || !present.has("") ? [clusterReport(scansOf(scan))] : [];
  const write = [...scans.map(namespaceReport), ...whole];
  return { write: write.filter(({ namespace, digest }) => present.get(namespace) !== digest), remove };
}

const scansOf = (scan: Scan): readonly NamespaceScan[] => scan.namespaces().flatMap((name) => scan.of(name) ?? []);
