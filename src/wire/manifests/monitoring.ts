import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import { type Manifest, manifest } from "./manifest.ts";
import { NAME, SECRETS, SERVICE_HOST } from "./names.ts";

const GROUP = "monitoring.coreos.com/v1";
const inOwn = { name: NAME, namespace: SIGNET_NAMESPACE };
type Alert = {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly severity: "critical" | "warning";
  readonly summary: string;
  /** Page of this repository that says what to do. */
  readonly runbook: string;
};

const FEDERATION = "docs/federation.md";
const BREAK_GLASS = "docs/break-glass.md";

const OURS = 'name=~".+\\\\.signet\\\\.dev"';

const ALERTS: readonly Alert[] = [
  {
    alert: "SignetDown",
    expr: `(sum(signet_ready{namespace="${SIGNET_NAMESPACE}"}) or vector(0)) == 0`,
    for: "2m",
    severity: "critical",
    summary: "No replica of Signet is ready: nothing can be created in enrolled namespaces.",
    runbook: BREAK_GLASS,
  },
  {
    alert: "SignetWebhookFails",
    expr: `sum by (name) (rate(apiserver_admission_webhook_rejection_count{${OURS},error_type!="no_error"}[5m])) > 0`,
    for: "5m",
    severity: "critical",
    summary: "The API server cannot call the webhook entry {{ $labels.name }}.",
    runbook: BREAK_GLASS,
  },
  {
    alert: "SignetStampsMissed",
    expr: `sum by (name) (rate(apiserver_admission_webhook_fail_open_count{${OURS}}[5m])) > 0`,
    for: "5m",
    severity: "warning",
    summary: "The API server went on without an answer of the webhook entry {{ $labels.name }}.",
    runbook: BREAK_GLASS,
  },
  {
    alert: "SignetPodsWithoutStamp",
    expr: "max(signet_pods_missed) > 0",
    for: "5m",
    severity: "warning",
    summary: "{{ $value }} Pods run without a valid stamp and cannot be mended; an Event on each says why.",
    runbook: BREAK_GLASS,
  },
  {
    alert: "SignetSlow",
    expr: `histogram_quantile(0.99, sum by (le, name) (rate(apiserver_admission_webhook_admission_duration_seconds_bucket{${OURS}}[5m]))) > 0.5`,
    for: "10m",
    severity: "warning",
    summary: "One of a hundred calls of the webhook entry {{ $labels.name }} takes half a second.",
    runbook: BREAK_GLASS,
  },
  {
    alert: "SignetCatalogueBroken",
    expr: "max by (pod) (signet_catalogue_broken) > 0",
    for: "5m",
    severity: "warning",
    summary: "{{ $labels.pod }} judges by an older state: the newest cannot be read.",
    runbook: BREAK_GLASS,
  },
  {
    alert: "SignetLedgerLosesRecords",
    expr: "sum by (pod) (increase(signet_ledger_dropped_total[10m]) + increase(signet_ledger_failures_total[10m])) > 0",
    for: "0m",
    severity: "critical",
    summary: "The ledger of {{ $labels.pod }} dropped records or could not write them.",
    runbook: "docs/runbooks/lost-ledger.md",
  },
  {
    alert: "SignetPoliciesBlocked",
    expr: "max by (code) (signet_policy_blocked) > 0",
    for: "5m",
    severity: "warning",
    summary: "Nothing is published: {{ $labels.code }} would let through more than is meant.",
    runbook: "docs/targets/README.md",
  },
  {
    alert: "SignetPoliciesOverdue",
    expr: "max(signet_policy_overdue_seconds) > 60",
    for: "1m",
    severity: "critical",
    summary: "A sentence or exception has ended and what it opened stands still, or nothing can be published.",
    runbook: "docs/targets/README.md",
  },
  {
    alert: "SignetPublishesNothing",
    expr: "(count(last_over_time(signet_policy_overdue_seconds[1d])) > 0) unless on() (count(signet_policy_overdue_seconds) > 0)",
    for: "2m",
    severity: "critical",
    summary: "No replica publishes policies any more: what ends meanwhile stays open until one does.",
    runbook: "docs/targets/README.md",
  },
  {
    alert: "SignetCertificateEnds",
    expr: "min(signet_serving_certificate_expiry_timestamp_seconds) - time() < 3600",
    for: "5m",
    severity: "critical",
    summary: "The serving certificate ends within the hour and was not renewed.",
    runbook: BREAK_GLASS,
  },
  {
    alert: "SignetAuthorityEnds",
    expr: 'max(signet_expiry_timestamp_seconds{what="issuing"}) - time() < 7 * 86400',
    for: "10m",
    severity: "critical",
    summary: "The last authority ends within a week, and no other was made: certificates will end with it.",
    runbook: "docs/runbooks/expired-root.md",
  },
  {
    alert: "SignetRootEnds",
    expr: 'max(signet_expiry_timestamp_seconds{what="root"}) - time() < 14 * 86400',
    for: "10m",
    severity: "critical",
    summary: "The last root in the bundle ends within two weeks.",
    runbook: "docs/runbooks/expired-root.md",
  },
  {
    alert: "SignetNoAuthority",
    expr: 'max(signet_rotation_stage{stage="none"}) > 0',
    for: "5m",
    severity: "critical",
    summary: "There is no authority: no certificate is issued.",
    runbook: "docs/runbooks/lost-authority.md",
  },
  {
    alert: "SignetChainNeeded",
    expr: 'max(signet_rotation_stage{stage=~"chain-needed|awaiting-chain"}) > 0',
    for: "1h",
    severity: "warning",
    summary: "The offline root has to certify the next authority.",
    runbook: "docs/runbooks/offline-root.md",
  },
  {
    alert: "SignetRotationStands",
    expr: 'max(signet_rotation_stage{stage=~"requested|prepared|published"}) > 0',
    for: "2h",
    severity: "warning",
    summary: "A rotation of the authority does not go on; `signet ca status` says what it waits for.",
    runbook: "docs/runbooks/rotation.md",
  },
  {
    alert: "SignetIssuesNothing",
    expr: 'sum by (reason) (rate(signet_issuance_total{reason=~"AUTHORITY_UNAVAILABLE|LEDGER_UNAVAILABLE|INTERNAL|AuthorityUnavailable|LedgerUnavailable|Internal"}[5m])) > 0',
    for: "5m",
    severity: "critical",
    summary: "Certificates are not issued for a fault of ours: {{ $labels.reason }}.",
    runbook: "docs/runbooks/lost-ledger.md",
  },
  {
    alert: "SignetBundleMissing",
    expr: 'max(signet_federation_domains{state="missing"}) > 0',
    for: "15m",
    severity: "warning",
    summary: "Nothing is published of a federated trust domain: nobody of it is believed.",
    runbook: FEDERATION,
  },
  {
    alert: "SignetBundleOld",
    expr: "max by (trust_domain) (signet_federation_bundle_age_seconds) > 3 * 3600",
    for: "5m",
    severity: "warning",
    summary:
      "The bundle of TrustDomain {{ $labels.trust_domain }} was not fetched for hours: it may lack what signs by now.",
    runbook: FEDERATION,
  },
  {
    alert: "SignetBundleEnds",
    expr: "max by (trust_domain) (signet_federation_bundle_expiry_timestamp_seconds) - time() < 86400",
    for: "10m",
    severity: "critical",
    summary: "The last authority of TrustDomain {{ $labels.trust_domain }} ends within a day.",
    runbook: FEDERATION,
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

const ruleOf = ({ alert, expr, for: lasting, severity, summary, runbook }: Alert) => ({
  alert,
  expr,
  for: lasting,
  labels: { severity },
  annotations: { summary, runbook },
});
