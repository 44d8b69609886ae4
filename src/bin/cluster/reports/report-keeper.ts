import { problemLine } from "../../../domain/problem.ts";
import type { KubeClient } from "../../../kube/client.ts";
import type { Term } from "../../../kube/lease.ts";
import type { Log } from "../../../kube/log.ts";
import type { Resource } from "../../../kube/resources.ts";
import { type Report, REPORT_DIGEST, REPORT_LABEL } from "../../../reconcile/scan/report.ts";
import { decideReports } from "../../../reconcile/scan/report-changes.ts";
import type { Scan } from "../../../reconcile/scan/scan.ts";
import { REPORT } from "../../../wire/manifests/names.ts";
import { type Raw, rawAt, textAt } from "../../../wire/read-object.ts";

const GROUP = { group: "openreports.io", version: "v1alpha1" } as const;
const REPORTS: Resource = { ...GROUP, plural: "reports", kind: "Report", namespaced: true };
const CLUSTER_REPORTS: Resource = { ...GROUP, plural: "clusterreports", kind: "ClusterReport", namespaced: false };
const DISCOVERY = "/apis/openreports.io/v1alpha1";
const SELECTOR = Object.entries(REPORT_LABEL)
  .map(([key, value]) => `${key}=${value}`)
  .join(",");

/** What keeping reports needs. */
export type ReportMeans = {
  readonly client: Pick<KubeClient, "list" | "patch" | "delete" | "call">;
  readonly log: Log;
  readonly now: () => number;
};

/** A namespace's report is written at most this often, and it is asked this often whether the kinds are there. */
const WAIT_MS = { round: 5_000, kinds: 60_000 } as const;

/** Keeps the reports of one term: written on change only, deleted where nothing is left; none without the kinds. */
export class ReportKeeper {
  readonly #means: ReportMeans;
  readonly #unwritten = new Set<string>();
  #present: Map<string, string> | undefined;
  #next = 0;

  constructor(means: ReportMeans) {
    this.#means = means;
  }

  /** One round. What could not be written is tried in the next. */
  async tend(term: Term, scan: Scan): Promise<void> {
    const { now } = this.#means;
    if (now() < this.#next) return;
    this.#next = now() + WAIT_MS.round;
    for (const namespace of scan.takeChanged()) this.#unwritten.add(namespace);
    this.#present ??= await this.#look();
    if (!this.#present) {
      this.#next = now() + WAIT_MS.kinds;
      return;
    }
    await this.#apply(term, scan, this.#present);
  }

  async #apply(term: Term, scan: Scan, present: Map<string, string>): Promise<void> {
    const changed = new Set(this.#unwritten);
    this.#unwritten.clear();
    const { write, remove } = decideReports(scan, present, changed);
    for (const namespace of remove)
      if (term.valid() && (await this.#remove(namespace).catch(() => false))) present.delete(namespace);
    for (const report of write) {
      const done = term.valid() && (await this.#write(report).catch(() => false));
      if (done) present.set(report.namespace, report.digest);
      else this.#unwritten.add(report.namespace);
    }
  }

  /** The reports that are there, by namespace, with what they say; undefined where a cluster has no such kinds. */
  async #look(): Promise<Map<string, string> | undefined> {
    const { client } = this.#means;
    const { status } = await client.call({ method: "GET", path: DISCOVERY });
    if (status !== 200) return undefined;
    const lists = await Promise.all(
      [REPORTS, CLUSTER_REPORTS].map((resource) => client.list(resource, { labelSelector: SELECTOR })),
    );
    return new Map(lists.flatMap((list) => (list.ok ? list.value.items.map(digestOf) : [])));
  }

  async #write({ namespace, object }: Report): Promise<boolean> {
    const { client, log } = this.#means;
    const [resource, target] = namespace === "" ? [CLUSTER_REPORTS, {}] : [REPORTS, { namespace }];
    const patch = { type: "apply", body: object, fieldManager: "signet", force: true } as const;
    const done = await client.patch(resource, { ...target, name: REPORT }, patch);
    if (!done.ok) log.debug({ namespace, reason: done.problems.map(problemLine) }, "A report was not written.");
    return done.ok;
  }

  /** One that is gone already, perhaps with its namespace, is what was wanted. */
  async #remove(namespace: string): Promise<boolean> {
    const done = await this.#means.client.delete(REPORTS, { namespace, name: REPORT });
    return done.ok || done.problems.some(({ code }) => code === "NOT_FOUND");
  }
}

const digestOf = (report: Raw): readonly [string, string] => {
  const metadata = rawAt(report, "metadata");
  return [textAt(metadata, "namespace") ?? "", textAt(rawAt(metadata, "annotations"), REPORT_DIGEST) ?? ""];
};
