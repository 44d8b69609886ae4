import { clusterReport, namespaceReport, type Report } from "./report.ts";
import type { NamespaceScan, Scan } from "./scan.ts";

/**
 * Which reports are to be written: those of namespaces that changed and say something else than what is there, by digest.
 * The key of `present` is the namespace, empty for the cluster's. A report of a namespace in which nothing runs any more is
 * emptied: Signet has no right to delete.
 */
export function decideReports(
  scan: Scan,
  present: ReadonlyMap<string, string>,
  changed: ReadonlySet<string>,
): readonly Report[] {
  const running = scan.namespaces();
  const known = new Set(running);
  const gone = [...present.keys()].filter((name) => name !== "" && !known.has(name)).sort();
  const scans = [
    ...gone.map(nothingIn),
    ...running.filter((name) => changed.has(name) || !present.has(name)).flatMap((name) => scan.of(name) ?? []),
  ];
  const whole = changed.size > 0 || !present.has("") ? [clusterReport(scansOf(scan))] : [];
  return [...scans.map(namespaceReport), ...whole].filter(({ namespace, digest }) => present.get(namespace) !== digest);
}

const nothingIn = (namespace: string): NamespaceScan => ({
  namespace,
  counts: { pass: 0, warn: 0, fail: 0 },
  groups: [],
});

const scansOf = (scan: Scan): readonly NamespaceScan[] => scan.namespaces().flatMap((name) => scan.of(name) ?? []);
