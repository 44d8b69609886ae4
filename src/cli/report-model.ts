import { judge } from "../admission/judge.ts";
import type { Catalogue } from "../domain/catalogue.ts";
import { formatInstant, type Instant } from "../domain/instant.ts";
import type { Workload } from "../domain/workload.ts";
import { asCreated } from "../reconcile/pods/created-by.ts";
import { Scan, type ScannedWorkload } from "../reconcile/scan/scan.ts";
import { exceptionView } from "./definition-views.ts";

/** What a report goes by. */
export type ReportTerms = { readonly now: Instant; readonly requireApproval?: boolean };

/** What is found wrong with workloads, and which exceptions they live by. */
export type ReportModel = {
  readonly at: string;
  readonly counts: ReturnType<Scan["counts"]>;
  readonly namespaces: readonly {
    readonly namespace: string;
    readonly counts: ReturnType<Scan["counts"]>;
    readonly workloads: readonly ReportedWorkload[];
  }[];
  readonly exceptions: readonly ReturnType<typeof exceptionView>[];
};

/** One workload as `--output json` prints it. */
export type ReportedWorkload = {
  readonly kind: string;
  readonly name: string;
  readonly role: string;
  readonly segment: string;
  readonly result: "pass" | "warn" | "fail";
  readonly findings: readonly { readonly result: string; readonly code: string; readonly message: string }[];
};

/** Judges workloads as admission would now, and gathers what it says. */
export function reportOf(catalogue: Catalogue, workloads: readonly Workload[], terms: ReportTerms): ReportModel {
  const scan = scanOf(catalogue, workloads, terms);
  return {
    at: formatInstant(terms.now),
    counts: scan.counts(),
    namespaces: scan.namespaces().map((namespace) => ({
      namespace,
      counts: scan.of(namespace)?.counts ?? { pass: 0, warn: 0, fail: 0 },
      workloads: scan.workloads(namespace).map(viewOf),
    })),
    exceptions: catalogue.definitions.exceptions.map((each) => exceptionView(catalogue, each, terms.now)),
  };
}

/** A scan of workloads at one moment; those without a UID are told apart by kind and name. */
export function scanOf(catalogue: Catalogue, workloads: readonly Workload[], terms: ReportTerms): Scan {
  const scan = new Scan();
  for (const workload of workloads) {
    const { object } = workload;
    const uid = object.uid ?? `${object.kind} ${object.namespace}/${object.name}`;
    const judgement = judge(catalogue, asCreated(catalogue, workload), terms);
    scan.look({ object: { ...object, uid }, judgement });
  }
  return scan;
}

const viewOf = ({ object, role, segment, outcome, found }: ScannedWorkload): ReportedWorkload => ({
  kind: object.kind,
  name: object.name,
  role,
  segment,
  result: outcome,
  findings: found.map(({ outcome: result, code, message }) => ({ result, code, message })),
});
