import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import { yamlText } from "../yaml-text.ts";
import { type Manifest, manifest } from "./manifest.ts";
import { NAME, PORT, SELECTOR, SERVICE_HOST } from "./names.ts";

const inOwn = { name: NAME, namespace: SIGNET_NAMESPACE };
const CONFIG_FOLDER = "/etc/signet";
const STATE_FOLDER = "/var/lib/signet";

/** Seconds: the endpoint is gone from every API server, then what is in flight ends, then the kubelet kills. */
const DRAIN = { leave: 8, delay: 2, grace: 30, kill: 45 } as const;

/** The server's configuration in a cluster, as `signet server --config` reads it. */
export const serverConfiguration = () => ({
  mode: "cluster",
  listen: `0.0.0.0:${PORT}`,
  state: STATE_FOLDER,
  names: [SERVICE_HOST, `${NAME}.${SIGNET_NAMESPACE}.svc.cluster.local`],
  requireApproval: true,
  log: { level: "info", format: "json" },
  drain: { delay: `${DRAIN.delay}s`, grace: `${DRAIN.grace}s` },
});

const DATABASE_FOLDER = "/etc/signet-database";

/** The same with the ledger's copy in PostgreSQL: its Service `postgres`, password and authority from a Secret. */
export const databaseConfiguration = (namespace: string) => ({
  ...serverConfiguration(),
  database: {
    host: `postgres.${namespace}.svc`,
    passwordFile: `${DATABASE_FOLDER}/password`,
    ca: `${DATABASE_FOLDER}/ca.crt`,
  },
});

/** What the component `database` changes of the server: its configuration, and the Secret `signet-database` beside it. */
export const databasePatches = (namespace: string): readonly object[] => [
  {
    target: { kind: "ConfigMap", name: NAME },
    patch: yamlText([{ op: "replace", path: "/data/server.yaml", value: yamlText(databaseConfiguration(namespace)) }]),
  },
  {
    target: { kind: "Deployment", name: NAME },
    patch: yamlText([
      {
        op: "add",
        path: "/spec/template/spec/volumes/-",
        value: { name: "database", secret: { secretName: "signet-database", defaultMode: 0o440 } },
      },
      {
        op: "add",
        path: "/spec/template/spec/containers/0/volumeMounts/-",
        value: { name: "database", mountPath: DATABASE_FOLDER, readOnly: true },
      },
    ]),
  },
];

/** Where the server finds the authority of those who may call its webhooks. */
export const CLIENTS_FOLDER = "/etc/signet-clients";

/** What the component `clients` changes of the server besides its arguments: the ConfigMap `signet-clients` is mounted. */
export const clientsPatch = (): object => ({
  target: { kind: "Deployment", name: NAME },
  patch: yamlText([
    {
      op: "add",
      path: "/spec/template/spec/volumes/-",
      value: { name: "clients", configMap: { name: "signet-clients" } },
    },
    {
      op: "add",
      path: "/spec/template/spec/containers/0/volumeMounts/-",
      value: { name: "clients", mountPath: CLIENTS_FOLDER, readOnly: true },
    },
  ]),
});

const GRANT_FOLDERS = { grants: "/etc/signet-grants", keys: "/etc/signet-grant-keys" } as const;

/** What the component `signed-grants` adds to the server's command line. */
export const GRANT_FLAGS: readonly string[] = [
  "--grants",
  GRANT_FOLDERS.grants,
  "--grant-keys",
  `${GRANT_FOLDERS.keys}/grant-keys.json`,
];

/** What it mounts: ConfigMaps of its own, so that whoever hands in grants need not be able to change the keys. */
export const grantPatch = (): object => ({
  target: { kind: "Deployment", name: NAME },
  patch: yamlText(
    (["grants", "keys"] as const).flatMap((part) => [
      {
        op: "add",
        path: "/spec/template/spec/volumes/-",
        value: { name: part, configMap: { name: GRANT_MAPS[part], optional: part === "grants" } },
      },
      {
        op: "add",
        path: "/spec/template/spec/containers/0/volumeMounts/-",
        value: { name: part, mountPath: GRANT_FOLDERS[part], readOnly: true },
      },
    ]),
  ),
});

const GRANT_MAPS = { grants: "signet-grants", keys: "signet-grant-keys" } as const;

/** The server in the cluster: configuration, Deployment, Service, and what keeps them up. `version` is the image's tag. */
export const serverManifests = (version: string): readonly Manifest[] => [
  manifest(["v1", "ConfigMap"], inOwn, { data: { "server.yaml": yamlText(serverConfiguration()) } }),
  deployment(version),
  manifest(["v1", "Service"], inOwn, {
    spec: { selector: SELECTOR, ports: [{ name: "https", port: 443, targetPort: "https", protocol: "TCP" }] },
  }),
  manifest(["policy/v1", "PodDisruptionBudget"], inOwn, {
    spec: { minAvailable: 1, unhealthyPodEvictionPolicy: "AlwaysAllow", selector: { matchLabels: SELECTOR } },
  }),
  criticalQuota(),
];

/** Some providers admit the cluster's critical priority outside kube-system only where a quota names it. */
const criticalQuota = (): Manifest =>
  manifest(
    ["v1", "ResourceQuota"],
    { ...inOwn, name: "signet-critical-pods" },
    {
      spec: {
        hard: { pods: "20" },
        scopeSelector: {
          matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: [PRIORITY] }],
        },
      },
    },
  );

const PRIORITY = "system-cluster-critical";

const deployment = (version: string): Manifest =>
  manifest(["apps/v1", "Deployment"], inOwn, {
    spec: {
      replicas: 2,
      revisionHistoryLimit: 3,
      selector: { matchLabels: SELECTOR },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: { metadata: { labels: { ...SELECTOR, "app.kubernetes.io/part-of": NAME } }, spec: podSpec(version) },
    },
  });

/** No user ID: the image has one, and OpenShift gives one of the namespace's own range. */
const podSpec = (version: string) => ({
  serviceAccountName: NAME,
  automountServiceAccountToken: true,
  enableServiceLinks: false,
  priorityClassName: PRIORITY,
  terminationGracePeriodSeconds: DRAIN.kill,
  nodeSelector: { "kubernetes.io/os": "linux" },
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: SELECTOR },
    matchLabelKeys: ["pod-template-hash"],
  })),
  containers: [container(version)],
  volumes: [
    { name: "config", configMap: { name: NAME } },
    { name: "state", emptyDir: { sizeLimit: "1Gi" } },
    { name: "tmp", emptyDir: { medium: "Memory", sizeLimit: "16Mi" } },
  ],
});

const container = (version: string) => ({
  name: "server",
  image: `signet:${version}`,
  imagePullPolicy: "IfNotPresent",
  args: ["server", "--config", `${CONFIG_FOLDER}/server.yaml`],
  ports: [{ name: "https", containerPort: PORT, protocol: "TCP" }],
  startupProbe: { ...probe("/livez"), periodSeconds: 1, failureThreshold: 60 },
  livenessProbe: { ...probe("/livez"), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
  readinessProbe: { ...probe("/readyz"), periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 2 },
  // Kubernetes takes endpoints away while it ends a Pod, not before: until all have seen it, the server goes on answering.
  lifecycle: { preStop: { sleep: { seconds: DRAIN.leave } } },
  resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "768Mi" } },
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    privileged: false,
    readOnlyRootFilesystem: true,
  },
  terminationMessagePolicy: "FallbackToLogsOnError",
  volumeMounts: [
    { name: "config", mountPath: CONFIG_FOLDER, readOnly: true },
    { name: "state", mountPath: STATE_FOLDER },
    { name: "tmp", mountPath: "/tmp" },
  ],
});

const probe = (path: string) => ({ httpGet: { path, port: "https", scheme: "HTTPS" } });

/**
 * What may reach the server, and what it may reach. API servers call webhooks from addresses that no selector knows, so the
 * door is open to all and asks who calls; outwards there are DNS, and API servers at their usual ports.
 */
export const networkPolicy = (): Manifest =>
  manifest(["networking.k8s.io/v1", "NetworkPolicy"], inOwn, {
    spec: {
      podSelector: { matchLabels: SELECTOR },
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ ports: [{ protocol: "TCP", port: PORT }] }],
      egress: [
        { ports: [53, 5353].flatMap((port) => ["UDP", "TCP"].map((protocol) => ({ protocol, port }))) },
        { ports: [443, 6443].map((port) => ({ protocol: "TCP", port })) },
      ],
    },
  });

/** What the component `database` lets the server reach besides: PostgreSQL in that namespace. */
export const databaseNetworkPolicy = (namespace: string): Manifest =>
  manifest(
    ["networking.k8s.io/v1", "NetworkPolicy"],
    { ...inOwn, name: "signet-database" },
    {
      spec: {
        podSelector: { matchLabels: SELECTOR },
        policyTypes: ["Egress"],
        egress: [
          {
            to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } } }],
            ports: [{ protocol: "TCP", port: 5432 }],
          },
        ],
      },
    },
  );

/** Flags stand over the configuration's file, and components add to them one after the other. */
export const serverArguments = (flags: readonly string[]) => ({
  target: { kind: "Deployment", name: NAME },
  patch: yamlText(flags.map((value) => ({ op: "add", path: "/spec/template/spec/containers/0/args/-", value }))),
});
