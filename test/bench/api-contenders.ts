import { accepted } from "../cluster/accepted.ts";
import type { Cluster } from "../cluster/boot.ts";

/** Each contender has a namespace of its own, so that all are there at once and rounds can alternate. */
export const NAMESPACES = { signet: "with-signet", bare: "with-bare-pair", cel: "with-cel" } as const;

const REGISTRATION = "/apis/admissionregistration.k8s.io/v1";
const only = (namespace: string) => ({ matchLabels: { "kubernetes.io/metadata.name": namespace } });
const POD_CREATION = { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] } as const;

/** What Signet stamps on the bench's Pod, as the bare pair answers it. */
const LABELS = {
  "signet.dev/role": "worker",
  "signet.dev/segment": "bench",
  "signet.dev/environment": "test",
  "role.signet.dev/tier": "data",
} as const;
const ID = "signet.dev/spiffe-id";
const STAMP = "signet.dev/stamp";
const STAMP_VALUE = JSON.stringify({
  role: { name: "worker", generation: 1 },
  segment: { name: "bench", generation: 1 },
});
const SPIFFE_ID = "spiffe://bench.example.org/ns/with-bare-pair/sa/worker";

const escaped = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");
const add = (map: string, key: string, value: string) => ({
  op: "add",
  path: `/metadata/${map}/${escaped(key)}`,
  value,
});

/** The JSON Patch of the bare pair: as many operations of the same form as Signet's. */
export const PATCHED = [
  ...Object.entries(LABELS).map(([key, value]) => add("labels", key, value)),
  add("annotations", ID, SPIFFE_ID),
  add("annotations", STAMP, STAMP_VALUE),
];

type Webhook = {
  readonly clientConfig: { readonly url: string };
  readonly namespaceSelector: {
    readonly matchExpressions: readonly { readonly key: string; readonly values?: readonly string[] }[];
  };
};

/** Leaves the other contenders' namespaces to them, and calls the replica without the balancer between. */
export async function signetOnly(cluster: Cluster, port: number): Promise<void> {
  for (const plural of ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"]) {
    const path = `${REGISTRATION}/${plural}/signet`;
    const { body } = await cluster.request("GET", path);
    const { webhooks } = body as { readonly webhooks: readonly Webhook[] };
    const patch = webhooks.flatMap(({ clientConfig, namespaceSelector }, index) => [
      {
        op: "replace",
        path: `/webhooks/${index}/clientConfig/url`,
        value: `https://127.0.0.1:${port}${new URL(clientConfig.url).pathname}`,
      },
      {
        op: "replace",
        path: `/webhooks/${index}/namespaceSelector/matchExpressions/0/values`,
        value: [...(namespaceSelector.matchExpressions[0]?.values ?? []), NAMESPACES.bare, NAMESPACES.cel],
      },
    ]);
    await accepted(cluster, "PATCH", path, { body: patch, contentType: "application/json-patch+json" });
  }
}

/** The least that is legal: a patch that is always the same, and a yes. */
export async function barePair(cluster: Cluster, port: number): Promise<void> {
  const caBundle = Buffer.from(cluster.authority.cert).toString("base64");
  for (const [plural, path] of [
    ["mutatingwebhookconfigurations", "/mutate"],
    ["validatingwebhookconfigurations", "/validate"],
  ] as const) {
    const webhook = {
      name: "pods.bare.example.org",
      admissionReviewVersions: ["v1"],
      clientConfig: { url: `https://127.0.0.1:${port}${path}`, caBundle },
      failurePolicy: "Fail",
      sideEffects: "None",
      timeoutSeconds: 5,
      namespaceSelector: only(NAMESPACES.bare),
      rules: [POD_CREATION],
    };
    const body = { metadata: { name: "bare" }, webhooks: [webhook] };
    await accepted(cluster, "POST", `${REGISTRATION}/${plural}`, { body });
  }
}

const CONSTRAINTS = {
  matchConstraints: { namespaceSelector: only(NAMESPACES.cel), resourceRules: [POD_CREATION] },
} as const;

/** Role and identity follow from the account, as Signet's do. */
const VARIABLES = [
  { name: "account", expression: "object.spec.?serviceAccountName.orValue('default')" },
  { name: "role", expression: "variables.account == 'worker' ? 'worker' : ''" },
  {
    name: "id",
    expression: "'spiffe://bench.example.org/ns/' + request.namespace + '/sa/' + variables.account",
  },
] as const;

const map = (entries: Readonly<Record<string, string>>): string =>
  Object.entries(entries)
    .map(([key, value]) => `'${key}': ${value}`)
    .join(", ");

/** An equal pair that runs in the API server: the same stamp, and checks that it stands and that nothing leaves its host. */
export async function celPair(cluster: Cluster): Promise<void> {
  const post = (plural: string, body: object): Promise<unknown> =>
    accepted(cluster, "POST", `${REGISTRATION}/${plural}`, { body });
  const labels = Object.fromEntries(Object.entries(LABELS).map(([key, value]) => [key, `'${value}'`]));
  const stamped = { ...labels, "signet.dev/role": "variables.role" };
  const annotations = { [ID]: "variables.id", [STAMP]: `'${STAMP_VALUE}'` };
  const expression = `Object{metadata: Object.metadata{labels: {${map(stamped)}}, annotations: {${map(annotations)}}}}`;
  await post("mutatingadmissionpolicies", {
    metadata: { name: "cel" },
    spec: {
      ...CONSTRAINTS,
      failurePolicy: "Fail",
      reinvocationPolicy: "IfNeeded",
      variables: VARIABLES,
      mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }],
    },
  });
  await post("mutatingadmissionpolicybindings", { metadata: { name: "cel" }, spec: { policyName: "cel" } });
  await post("validatingadmissionpolicies", {
    metadata: { name: "cel" },
    spec: { ...CONSTRAINTS, failurePolicy: "Fail", variables: VARIABLES, validations: validations() },
  });
  await post("validatingadmissionpolicybindings", {
    metadata: { name: "cel" },
    spec: { policyName: "cel", validationActions: ["Deny"] },
  });
}

const CONTAINERS = "(object.spec.containers + object.spec.?initContainers.orValue([]))";

const validations = () =>
  [
    "variables.role != ''",
    "object.metadata.?labels['signet.dev/role'].orValue('') == variables.role",
    "object.metadata.?labels['signet.dev/segment'].orValue('') == 'bench'",
    `object.metadata.?annotations['${ID}'].orValue('') == variables.id`,
    "object.metadata.labels.all(k, !k.startsWith('signet.dev/') || k in ['signet.dev/role', 'signet.dev/segment', 'signet.dev/environment'])",
    "!object.spec.?hostNetwork.orValue(false) && !object.spec.?hostPID.orValue(false) && !object.spec.?hostIPC.orValue(false)",
    "object.spec.?volumes.orValue([]).all(v, !has(v.hostPath))",
    `${CONTAINERS}.all(c, !c.?securityContext.privileged.orValue(false) && c.?securityContext.capabilities.add.orValue([]).size() == 0)`,
  ].map((expression) => ({ expression, message: "refused" }));
