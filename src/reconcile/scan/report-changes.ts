import { clusterReport, namespaceReport, type Report } from "./report.ts";
import type { NamespaceScan, Scan } from "./scan.ts";

/** What has to be done about one report. Done twice it does nothing. */
export type ReportAction =
  | { readonly do: "writeReport"; readonly report: Report }
  | { readonly do: "deleteReport"; readonly namespace: string };

/**
 * Which reports are to be written: those of namespaces that changed and say something else than what is there, by digest.
 * Reports of namespaces in which nothing runs any more go. The key of `present` is the namespace, empty for the cluster's.
 */
export function decideReports(
  scan: Scan,
  present: ReadonlyMap<string, string>,
  changed: ReadonlySet<string>,
): readonly ReportAction[] {
  const running = scan.namespaces();
  const gone = [...present.keys()].filter((name) => name !== "" && !running.includes(name));
  const reports = running
    .filter((name) => changed.has(name) || !present.has(name))
    .flatMap((name) => scan.of(name) ?? [])
    .map(namespaceReport);
  const whole = changed.size > 0 || !present.has("") ? [clusterReport(scansOf(scan))] : [];
  return [
    ...gone.map((namespace): ReportAction => ({ do: "deleteReport", namespace })),
    ...[...reports, ...whole]
      .filter(({ namespace, digest }) => present.get(namespace) !== digest)
      .map((report): ReportAction => ({ do: "writeReport", report })),
  ];
}

const scansOf = (scan: Scan): readonly NamespaceScan[] => scan.namespaces().flatMap((name) => scan.of(name) ?? []);
