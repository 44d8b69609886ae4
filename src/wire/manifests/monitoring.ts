import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import { type Manifest, manifest } from "./manifest.ts";
import { NAME, SECRETS, SERVICE_HOST } from "./names.ts";

const GROUP = "monitoring.coreos.com/v1";
const inOwn = { name: NAME, namespace: SIGNET_NAMESPACE };
const RUNBOOK = "docs/break-glass.md";

type Alert = {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly severity: "critical" | "warning";
  readonly summary: string;
};

const OURS = 'name=~".+\\\\.signet\\\\.dev"';

const ALERTS: readonly Alert[] = [
  {
    alert: "SignetDown",
    expr: `(sum(signet_ready{namespace="${SIGNET_NAMESPACE}"}) or vector(0)) == 0`,
    for: "2m",
    severity: "critical",
    summary: "No replica of Signet is ready: nothing can be created in enrolled namespaces.",
  },
  {
    alert: "SignetWebhookFails",
    expr: `sum by (name) (rate(apiserver_admission_webhook_rejection_count{${OURS},error_type!="no_error"}[5m])) > 0`,
    for: "5m",
    severity: "critical",
    summary: "The API server cannot call the webhook entry {{ $labels.name }}.",
  },
  {
    alert: "SignetStampsMissed",
    expr: `sum by (name) (rate(apiserver_admission_webhook_fail_open_count{${OURS}}[5m])) > 0`,
    for: "5m",
    severity: "warning",
    summary: "The API server went on without an answer of the webhook entry {{ $labels.name }}.",
  },
  {
    alert: "SignetPodsWithoutStamp",
    expr: "max(signet_pods_missed) > 0",
    for: "5m",
    severity: "warning",
    summary: "{{ $value }} Pods run without a valid stamp and cannot be mended; an Event on each says why.",
  },
  {
    alert: "SignetSlow",
    expr: `histogram_quantile(0.99, sum by (le, name) (rate(apiserver_admission_webhook_admission_duration_seconds_bucket{${OURS}}[5m]))) > 0.5`,
    for: "10m",
    severity: "warning",
    summary: "One of a hundred calls of the webhook entry {{ $labels.name }} takes half a second.",
  },
  {
    alert: "SignetCatalogueBroken",
    expr: "max by (pod) (signet_catalogue_broken) > 0",
    for: "5m",
    severity: "warning",
    summary: "{{ $labels.pod }} judges by an older state: the newest cannot be read.",
  },
  {
    alert: "SignetLedgerLosesRecords",
    expr: "sum by (pod) (increase(signet_ledger_dropped_total[10m]) + increase(signet_ledger_failures_total[10m])) > 0",
    for: "0m",
    severity: "critical",
    summary: "The ledger of {{ $labels.pod }} dropped records or could not write them.",
  },
  {
    alert: "SignetPoliciesBlocked",
    expr: "max by (code) (signet_policy_blocked) > 0",
    for: "5m",
    severity: "warning",
    summary: "Nothing is published: {{ $labels.code }} would let through more than is meant.",
  },
  {
    alert: "SignetPoliciesOverdue",
    expr: "max(signet_policy_overdue_seconds) > 60",
    for: "1m",
    severity: "critical",
    summary: "A sentence or exception has ended, and what it opened stands still.",
  },
  {
    alert: "SignetPublishesNothing",
    expr: "(count(last_over_time(signet_policy_overdue_seconds[1d])) > 0) unless on() (count(signet_policy_overdue_seconds) > 0)",
    for: "2m",
    severity: "critical",
    summary: "No replica publishes policies any more: what ends meanwhile stays open until one does.",
  },
  {
    alert: "SignetCertificateEnds",
    expr: "min(signet_serving_certificate_expiry_timestamp_seconds) - time() < 3600",
    for: "5m",
    severity: "critical",
    summary: "The serving certificate ends within the hour and was not renewed.",
  },
];

/** What the component `monitoring` brings: where Prometheus finds the metrics, and when it should call somebody. */
export const monitoringManifests = (): readonly Manifest[] => [
  manifest([GROUP, "ServiceMonitor"], inOwn, {
    spec: {
      selector: { matchLabels: { "app.kubernetes.io/name": NAME } },
      endpoints: [
        {
          port: "https",
          scheme: "https",
          path: "/metrics",
          interval: "30s",
          tlsConfig: { ca: { secret: { name: SECRETS.serving, key: "ca.crt" } }, serverName: SERVICE_HOST },
        },
      ],
    },
  }),
  manifest([GROUP, "PrometheusRule"], inOwn, { spec: { groups: [{ name: NAME, rules: ALERTS.map(ruleOf) }] } }),
];

const ruleOf = ({ alert, expr, for: lasting, severity, summary }: Alert) => ({
  alert,
  expr,
  for: lasting,
  labels: { severity },
  annotations: { summary, runbook: RUNBOOK },
});
