/** What a metric is; `labels` lists each label with all the values it can have, or says where they come from. */
export type Metric = {
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: Readonly<Record<string, string>>;
};

const metric = (type: Metric["type"], help: string, labels: Metric["labels"] = {}): Metric => ({ type, help, labels });

const WEBHOOK = "mutate, validate";

/** Every metric of the server. docs/metrics.md is made of this table; a label's values are bounded, never user input. */
export const METRICS = {
  signet_reviews_total: metric("counter", "Admission reviews answered.", {
    webhook: WEBHOOK,
    outcome: "admit, warn, deny, skip (nothing to judge), unreadable",
  }),
  signet_review_problems_total: metric("counter", "Problems that verdicts named.", {
    code: "one of the codes in docs/problems.md",
  }),
  signet_review_seconds: metric("histogram", "Time from a review's last byte to its answer.", { webhook: WEBHOOK }),
  signet_http_refusals_total: metric("counter", "Requests answered without a verdict.", {
    route: "mutate, validate, other",
    status: "an HTTP status from 400 up",
  }),
  signet_connections: metric("gauge", "Open connections."),
  signet_client_errors_total: metric("counter", "Connections closed because what came was not HTTP or TLS.", {
    layer: "http, tls",
  }),
  signet_catalogue_info: metric("gauge", "Always 1; the catalogue's revision in force.", {
    revision: "first 12 digits of the revision in force",
  }),
  signet_catalogue_objects: metric("gauge", "Definitions in the catalogue in force.", {
    kind: "segments, roles, namespaces, policies, guardrails, exceptions, externalWorkloads, restrictions",
  }),
  signet_catalogue_broken: metric("gauge", "1 while the newest state of the catalogue cannot be read, otherwise 0."),
  signet_catalogue_read_timestamp_seconds: metric("gauge", "When the catalogue in force was read."),
  signet_catalogue_reads_total: metric("counter", "Times that the catalogue was read.", { result: "good, broken" }),
  signet_ledger_queue_records: metric("gauge", "Records that wait to be written."),
  signet_ledger_records_total: metric("counter", "Records written durably."),
  signet_ledger_dropped_total: metric("counter", "Records dropped because the queue was full or the disk refused."),
  signet_ledger_failures_total: metric("counter", "Writes to the ledger that failed."),
  signet_ledger_failing: metric(
    "gauge",
    "1 while the last write to the ledger failed (a full disk, say), otherwise 0.",
  ),
  signet_ledger_copied_records_total: metric(
    "counter",
    "Records copied to PostgreSQL, of which one may hold many verdicts; only where one is configured.",
  ),
  signet_ledger_copy_behind_records: metric(
    "gauge",
    "Records that PostgreSQL does not have yet; only where one is configured.",
  ),
  signet_ledger_copy_failing: metric(
    "gauge",
    "1 while nothing can be copied to PostgreSQL, otherwise 0; only where one is configured.",
  ),
  signet_pods: metric("gauge", "Pods that are watched. As all of signet_pods_*, only of the replica that writes."),
  signet_pods_missed: metric("gauge", "Pods that run without a valid stamp; it must be 0."),
  signet_pods_missed_reasons: metric("gauge", "The same by the reason.", {
    code: "one of the codes in docs/problems.md",
  }),
  signet_pods_mended_total: metric("counter", "Stamps brought to Pods that run, by this replica."),
  signet_pods_beyond_exception: metric("gauge", "Pods that run only because of an exception that has ended."),
  signet_pods_outcomes: metric("gauge", "Pods and machines that run, by what admission would say of them now.", {
    outcome: "pass, warn, fail",
  }),
  signet_policy_objects: metric(
    "gauge",
    "Compiled objects. As all of signet_policy_*, only of the replica that writes, where something is published.",
    { target: "one of the targets in docs/targets", state: "wanted, active (stands as it is meant)" },
  ),
  signet_policy_blocked: metric("gauge", "Losses that keep everything from being published; it must be 0.", {
    code: "one of the codes in docs/targets; all where there is none",
  }),
  signet_policy_writes_total: metric("counter", "Writes of compiled objects, by this replica.", {
    verb: "apply, delete",
  }),
  signet_policy_mended_total: metric("counter", "Compiled objects that somebody changed and that were written anew."),
  signet_policy_fought_objects: metric(
    "gauge",
    "Compiled objects that somebody changes again as soon as they are mended: their Events say who; it must be 0.",
  ),
  signet_policy_compile_seconds: metric("gauge", "Time that the last compilation took."),
  signet_policy_overdue_seconds: metric(
    "gauge",
    "Since when a sentence, exception or waiver has begun or ended that is not published so, or nothing can be published; it must be 0.",
  ),
  signet_events_total: metric("counter", "Events about objects of the cluster.", { result: "written, dropped" }),
  signet_serving_certificate_expiry_timestamp_seconds: metric("gauge", "When the serving certificate ends."),
  signet_issuance_total: metric("counter", "Requests for certificates and tokens looked at, by this replica.", {
    door: "podCertificateRequest, rest, grpc, own (for our bundle endpoint)",
    what: "svid, token",
    outcome: "issued, refused (in the ledger), pending (looked at again later)",
    reason: "none, a problem code, or for pending its CamelCase form",
  }),
  signet_issuance_pending: metric("gauge", "Requests of kubelets that wait for an answer of this replica."),
  signet_time_to_identity_seconds: metric("histogram", "Time from a kubelet's request to its certificate.", {
    door: "podCertificateRequest",
  }),
  signet_expiry_timestamp_seconds: metric(
    "gauge",
    "When an anchor of trust ends, an authority, or the last leaf of an authority that this replica issued.",
    { what: "root, issuing, leaf", id: "first 16 digits of the key identifier; for a leaf, of its authority" },
  ),
  signet_rotation_stage: metric("gauge", "1 for the stage in which the rotation of authorities stands.", {
    stage: "none, active (nothing is under way), requested, chain-needed, awaiting-chain, prepared, published, tainted",
  }),
  signet_federation_domains: metric(
    "gauge",
    "Trust domains whose bundles are fetched. As all of signet_federation_*, only of the replica that writes.",
    { state: "fetched, failing (the bundle before stays), missing (nothing is published)" },
  ),
  signet_federation_bundle_age_seconds: metric("gauge", "Time since the bundle of a trust domain was fetched.", {
    trust_domain: "name of an approved TrustDomain",
  }),
  signet_federation_bundle_expiry_timestamp_seconds: metric(
    "gauge",
    "When the last authority in the bundle of a trust domain ends.",
    { trust_domain: "name of an approved TrustDomain" },
  ),
  signet_federation_refreshes_total: metric("counter", "Looks at the bundles of other trust domains.", {
    outcome: "Fetched, Unavailable, Refused, Older, BootstrapRefused",
  }),
  signet_ready: metric("gauge", "1 while the server is ready, otherwise 0."),
  signet_build_info: metric("gauge", "Always 1; the version that runs.", {
    version: "version",
    node: "Node's version",
  }),
  process_start_time_seconds: metric("gauge", "When the process started, in seconds since 1970."),
  process_cpu_seconds_total: metric("counter", "CPU time of the process, user and system."),
  process_resident_memory_bytes: metric("gauge", "Resident memory."),
  nodejs_eventloop_utilization: metric("gauge", "Share of time since the last scrape that the event loop was busy."),
} as const satisfies Readonly<Record<string, Metric>>;

/** The name of a metric. */
export type MetricName = keyof typeof METRICS;

/** docs/metrics.md, made of the table. */
export function renderMetricsPage(): string {
  const rows = Object.entries<Metric>(METRICS).map(([name, { type, help, labels }]) => {
    const told = Object.entries(labels).map(([label, values]) => `\`${label}\`: ${values}`);
    return `| \`${name}\` | ${type} | ${help} | ${told.join("; ") || "none"} |`;
  });
  return [
    "# Metrics",
    "",
    "`GET /metrics` answers in Prometheus' text format. Every label has a bounded set of values: no name of a workload, user",
    "or namespace is ever one, and no value comes from what a caller sent.",
    "",
    "| metric | type | what it says | labels |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
