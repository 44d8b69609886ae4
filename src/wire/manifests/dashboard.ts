import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import { type Manifest, manifest } from "./manifest.ts";
import { NAME } from "./names.ts";

/** One picture: what it shows, and the lines in it by their legend. */
type Panel = {
  readonly title: string;
  readonly unit: "short" | "s" | "bytes" | "reqps";
  readonly lines: Readonly<Record<string, string>>;
};

const OURS = 'name=~".+\\\\.signet\\\\.dev"';
const slowest = (share: number): string =>
  `histogram_quantile(${share}, sum by (le) (rate(signet_review_seconds_bucket[$__rate_interval])))`;

const PANELS: readonly Panel[] = [
  { title: "Replicas that are ready", unit: "short", lines: { ready: "sum(signet_ready)" } },
  {
    title: "Pods without a valid stamp (must be 0)",
    unit: "short",
    lines: { "{{code}}": "max by (code) (signet_pods_missed_reasons)", all: "max(signet_pods_missed)" },
  },
  {
    title: "Reviews",
    unit: "reqps",
    lines: { "{{webhook}} {{outcome}}": "sum by (webhook, outcome) (rate(signet_reviews_total[$__rate_interval]))" },
  },
  { title: "Time of a review", unit: "s", lines: { p50: slowest(0.5), p99: slowest(0.99) } },
  {
    title: "Problems that verdicts named",
    unit: "reqps",
    lines: { "{{code}}": "topk(10, sum by (code) (rate(signet_review_problems_total[$__rate_interval])))" },
  },
  {
    title: "Calls that the API server went on without, or could not make",
    unit: "reqps",
    lines: {
      "open {{name}}": `sum by (name) (rate(apiserver_admission_webhook_fail_open_count{${OURS}}[$__rate_interval]))`,
      "failed {{name}}": `sum by (name) (rate(apiserver_admission_webhook_rejection_count{${OURS},error_type!="no_error"}[$__rate_interval]))`,
    },
  },
  {
    title: "Policies: objects that do not stand as they are meant, losses that block, seconds beyond an end",
    unit: "short",
    lines: {
      "{{target}} missing":
        'sum by (target) (signet_policy_objects{state="wanted"}) - sum by (target) (signet_policy_objects{state="active"})',
      "blocked {{code}}": "max by (code) (signet_policy_blocked)",
      overdue: "max(signet_policy_overdue_seconds)",
    },
  },
  {
    title: "Catalogue",
    unit: "short",
    lines: { "{{kind}}": "max by (kind) (signet_catalogue_objects)", broken: "max(signet_catalogue_broken)" },
  },
  {
    title: "Ledger",
    unit: "short",
    lines: {
      waiting: "sum(signet_ledger_queue_records)",
      dropped: "sum(increase(signet_ledger_dropped_total[$__rate_interval]))",
    },
  },
  {
    title: "Serving certificate ends in",
    unit: "s",
    lines: { "{{pod}}": "min by (pod) (signet_serving_certificate_expiry_timestamp_seconds) - time()" },
  },
  { title: "Memory", unit: "bytes", lines: { "{{pod}}": 'process_resident_memory_bytes{job="signet"}' } },
];

const WIDTH = 12;
const HEIGHT = 8;
const SOURCE = { type: "prometheus", uid: "${source}" };

const panel = ({ title, unit, lines }: Panel, index: number) => ({
  id: index + 1,
  title,
  type: "timeseries",
  datasource: SOURCE,
  gridPos: { x: (index % 2) * WIDTH, y: Math.floor(index / 2) * HEIGHT, w: WIDTH, h: HEIGHT },
  fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
  targets: Object.entries(lines).map(([legendFormat, expr], line) => ({
    refId: String.fromCharCode(65 + line),
    datasource: SOURCE,
    expr,
    legendFormat,
  })),
});

/** The dashboard as Grafana reads it; every metric of Signet's in it stands in the table of metrics. */
export const dashboard = () => ({
  uid: NAME,
  title: "Signet",
  schemaVersion: 39,
  tags: [NAME],
  time: { from: "now-6h", to: "now" },
  refresh: "1m",
  templating: { list: [{ name: "source", type: "datasource", query: "prometheus", label: "Data source" }] },
  panels: PANELS.map(panel),
});

/** The ConfigMap that Grafana's sidecar finds by its label. */
export const dashboardManifest = (): Manifest =>
  manifest(
    ["v1", "ConfigMap"],
    { name: "signet-dashboard", namespace: SIGNET_NAMESPACE, labels: { grafana_dashboard: "1" } },
    { data: { "signet.json": `${JSON.stringify(dashboard(), undefined, 1)}\n` } },
  );
