import { PROBLEM_CODES } from "../../domain/problem-codes.ts";
import { sha256Base64 } from "../../domain/sha256.ts";
import { REPORT } from "../../wire/manifests/names.ts";
import type { NamespaceScan, ScanGroup } from "./scan.ts";

/** Label by which Signet finds its own reports again. */
export const REPORT_LABEL = { "app.kubernetes.io/managed-by": "signet" } as const;
/** Annotation that says what a report says, so that it is written on change only. */
export const REPORT_DIGEST = "report.signet.dev/digest";

/** Most results in one report; what is more is counted in the last. */
const MOST_RESULTS = 100;
const MOST_CHARACTERS = 300;

/** A report as openreports.io/v1alpha1 has it, whole, and what it says in short. */
export type Report = {
  /** Empty for the cluster's. */
  readonly namespace: string;
  readonly digest: string;
  readonly object: Readonly<Record<string, unknown>>;
};

/** The Report of one namespace. Nothing in it changes with time alone. */
export function namespaceReport({ namespace, counts, groups }: NamespaceScan): Report {
  const shown = groups.slice(0, MOST_RESULTS - 1).map(resultOf);
  const more = groups.slice(MOST_RESULTS - 1);
  return reportOf("Report", namespace, {
    source: "signet",
    scope: { apiVersion: "v1", kind: "Namespace", name: namespace },
    summary: { ...counts, error: 0, skip: 0 },
    results: more.length === 0 ? shown : [...shown, moreOf(more)],
  });
}

/** The ClusterReport: one line a namespace, those that fail first. */
export function clusterReport(scans: readonly NamespaceScan[]): Report {
  const summary = { pass: 0, warn: 0, fail: 0, error: 0, skip: 0 };
  for (const { counts } of scans) for (const each of ["pass", "warn", "fail"] as const) summary[each] += counts[each];
  const worst = [...scans].sort((a, b) => b.counts.fail - a.counts.fail || (a.namespace < b.namespace ? -1 : 1));
  return reportOf("ClusterReport", "", {
    source: "signet",
    summary,
    results: worst.slice(0, MOST_RESULTS).map(({ namespace, counts: { pass, warn, fail } }) => ({
      source: "signet",
      policy: "admission",
      rule: namespace,
      result: fail > 0 ? "fail" : warn > 0 ? "warn" : "pass",
      message: `${fail} would be refused, ${warn} with warnings, ${pass} pass.`,
    })),
  });
}

function reportOf(kind: string, namespace: string, body: object): Report {
  const digest = sha256Base64(JSON.stringify(body));
  const where = namespace === "" ? {} : { namespace };
  const metadata = { ...where, name: REPORT, labels: REPORT_LABEL, annotations: { [REPORT_DIGEST]: digest } };
  return { namespace, digest, object: { apiVersion: "openreports.io/v1alpha1", kind, metadata, ...body } };
}

const SEVERITY = { fail: "high", warn: "medium" } as const;

const resultOf = ({ outcome, code, message, role, segment, count, examples }: ScanGroup) => ({
  source: "signet",
  policy: "admission",
  rule: code,
  category: PROBLEM_CODES[code].sort,
  result: outcome,
  severity: SEVERITY[outcome],
  message: message.slice(0, MOST_CHARACTERS),
  resources: examples,
  properties: { count: String(count), role, segment },
});

const moreOf = (groups: readonly ScanGroup[]) => ({
  source: "signet",
  policy: "admission",
  rule: "more",
  result: groups.some(({ outcome }) => outcome === "fail") ? "fail" : "warn",
  message: `${groups.length} further results are left out; signet report lists all.`,
  properties: { count: String(groups.reduce((sum, { count }) => sum + count, 0)) },
});
