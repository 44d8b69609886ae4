import { expect, test } from "vitest";
import { catalogueOf, reviewOf } from "../fakes/judging.ts";

/** Two segments with one namespace each, a third role that only narrows, everything enforced. */
const BASE = `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: pay, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: web, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: payments}, spec: {environment: prod, classification: pci, namespaces: [pay], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {environment: prod, namespaces: [web], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: orders-db}, spec: {segment: payments, match: {serviceAccounts: [orders-db], kinds: [Pod, VirtualMachine]}, labels: {tier: data}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front]}, permits: [hostNetwork, "hostPath:/srv/import", "capability:NET_ADMIN"]}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: cart}, spec: {segment: shop, match: {serviceAccounts: [cart], podLabels: {matchLabels: {app: cart}}}}}
`;

const pod = (
  namespace: string,
  account: string,
  more: { metadata?: string; spec?: string; labels?: string; annotations?: string } = {},
) => `
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: ${namespace}, labels: {${more.labels ?? "app: x"}}, annotations: {${more.annotations ?? ""}}${more.metadata ?? ""}}
spec: {serviceAccountName: ${account}, ${more.spec ?? "containers: [{name: c, image: i}]"}}
`;

/** What a test looks at: decision, role, and code with sentence of each problem. */
const seen = (catalogue: string, yaml: string, terms: Parameters<typeof reviewOf>[2] = {}) => {
  const { verdict } = reviewOf(catalogueOf(catalogue), yaml, terms);
  const said = verdict.problems.map(({ code, message }) => `${code} ${message}`);
  return [verdict.decision, verdict.identity?.role.name ?? null, ...said];
};

test("a Pod whose account a role names gets role, segment, identity and stamp", () => {
  const { verdict, patch } = reviewOf(catalogueOf(BASE), pod("pay", "orders-db"));
  expect([verdict.decision, verdict.identity?.spiffeId, verdict.approval]).toEqual([
    "admit",
    "spiffe://example.org/ns/pay/sa/orders-db",
    "unchecked",
  ]);
  expect(verdict.stamp).toEqual({
    labels: {
      "signet.dev/role": "orders-db",
      "signet.dev/segment": "payments",
      "signet.dev/environment": "prod",
      "signet.dev/classification": "pci",
      "role.signet.dev/tier": "data",
    },
    annotations: {
      "signet.dev/spiffe-id": "spiffe://example.org/ns/pay/sa/orders-db",
      "signet.dev/stamp": '{"role":{"name":"orders-db"},"segment":{"name":"payments"}}',
    },
  });
  expect(patch[0]).toEqual({ op: "add", path: "/metadata/labels/signet.dev~1role", value: "orders-db" });
});

/** One mutation of BASE or of the Pod each, and the whole answer. */
const ROWS: readonly {
  name: string;
  catalogue?: string;
  pod: string;
  creator?: string;
  approval?: true;
  expected: readonly (string | null)[];
}[] = [
  {
    name: "an account that no role names is refused, and the accounts that roles name are told",
    pod: pod("pay", "stranger"),
    expected: ["deny", null, "ROLE_NONE No role fits account pay/stranger."],
  },
  {
    name: "the account default fits no role that does not name it",
    catalogue: BASE.replace("serviceAccounts: [front]", "kinds: [Pod]"),
    pod: pod("web", "default"),
    expected: ["deny", null, "ROLE_NONE No role fits account web/default."],
  },
  {
    name: "a role without accounts fits every account but default",
    catalogue: BASE.replace("serviceAccounts: [front]", "kinds: [Pod]"),
    pod: pod("web", "anybody"),
    expected: ["admit", "front"],
  },
  {
    name: "labels narrow",
    pod: pod("web", "cart", { labels: "app: other" }),
    expected: [
      "deny",
      null,
      "ROLE_NONE No role fits this Pod of account web/cart: role cart does not, the labels do not match its podLabels.",
    ],
  },
  { name: "and let in what they match", pod: pod("web", "cart", { labels: "app: cart" }), expected: ["admit", "cart"] },
  {
    name: "labels never entitle: the account of another namespace stays out",
    pod: pod("pay", "cart", { labels: "app: cart" }),
    expected: ["deny", null, "ROLE_NONE No role fits account pay/cart."],
  },
  {
    name: "a role names a namespace that is not its segment's: it grants nothing there",
    catalogue: BASE.replace(
      "match: {serviceAccounts: [front]}",
      "match: {serviceAccounts: [front], namespaces: [pay, web]}",
    ),
    pod: pod("pay", "front"),
    expected: ["deny", null, "ROLE_NONE No role fits account pay/front."],
  },
  {
    name: "two roles that fit are two roles that fit",
    catalogue: `${BASE}\n---\n{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: cart2}, spec: {segment: shop, match: {serviceAccounts: [cart]}}}`,
    pod: pod("web", "cart", { labels: "app: cart" }),
    expected: ["deny", null, "ROLE_AMBIGUOUS 2 roles fit account web/cart: cart, cart2."],
  },
  {
    name: "use-role picks one of them",
    catalogue: `${BASE}\n---\n{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: cart2}, spec: {segment: shop, match: {serviceAccounts: [cart]}}}`,
    pod: pod("web", "cart", { labels: "app: cart", annotations: "signet.dev/use-role: cart2" }),
    expected: ["admit", "cart2"],
  },
  {
    name: "use-role never grants",
    pod: pod("web", "cart", { labels: "app: cart", annotations: "signet.dev/use-role: front" }),
    expected: [
      "deny",
      null,
      'ROLE_NOT_ENTITLED signet.dev/use-role asks for "front", which does not fit this Pod. Roles that fit it: cart.',
    ],
  },
  {
    name: "an account that roles of two segments cover is refused, labels or not",
    catalogue: `${BASE.replace("namespaces: [pay]", "namespaces: [pay, web], isolation: shared")}\n---\n{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: spy}, spec: {segment: payments, match: {namespaces: [web], serviceAccounts: [front], kinds: [Machine], podLabels: {matchLabels: {never: seen}}}}}`,
    pod: pod("web", "front"),
    expected: [
      "deny",
      null,
      "IDENTITY_SPANS_SEGMENTS Account web/front belongs to two segments: role front of shop and role spy of payments.",
    ],
  },
  {
    name: "a strict segment refuses to share its namespace",
    catalogue: BASE.replace("namespaces: [web]", "namespaces: [web, pay]").replace(
      "name: front}, spec: {segment: shop, match: {",
      "name: front}, spec: {segment: shop, match: {namespaces: [pay], ",
    ),
    pod: pod("pay", "orders-db"),
    expected: [
      "deny",
      "orders-db",
      "SEGMENT_STRICT Strict segment payments shares namespace pay with role cart of shop.",
    ],
  },
  {
    name: "a namespace joins a segment by the guarded label",
    catalogue: BASE.replace(
      'name: web, labels: {signet.dev/enrol: "true"}',
      'name: web, labels: {signet.dev/enrol: "true", signet.dev/segment: shop}',
    ).replace("namespaces: [web]", "namespaces: []"),
    pod: pod("web", "front"),
    expected: ["admit", "front"],
  },
  {
    name: "any other label of a namespace grants nothing",
    catalogue: BASE.replace(
      'name: web, labels: {signet.dev/enrol: "true"}',
      'name: web, labels: {signet.dev/enrol: "true", segment: shop}',
    ).replace("namespaces: [web]", "namespaces: []"),
    pod: pod("web", "front"),
    expected: ["deny", null, "ROLE_NONE No role fits account web/front."],
  },
  {
    name: "a role for other creators does not fit",
    catalogue: BASE.replace(
      "serviceAccounts: [front]",
      "serviceAccounts: [front], createdBy: [system:serviceaccount:cdi:cdi]",
    ),
    pod: pod("web", "front"),
    creator: "alice",
    expected: [
      "deny",
      null,
      "ROLE_NONE No role fits this Pod of account web/front: role front does not, alice is not among its createdBy.",
    ],
  },
  {
    name: "and fits for the creator it names",
    catalogue: BASE.replace(
      "serviceAccounts: [front]",
      "serviceAccounts: [front], createdBy: [system:serviceaccount:cdi:cdi]",
    ),
    pod: pod("web", "front"),
    creator: "system:serviceaccount:cdi:cdi",
    expected: ["admit", "front"],
  },
  {
    name: "an unknown creator fits no role that asks for one",
    catalogue: BASE.replace(
      "serviceAccounts: [front]",
      "serviceAccounts: [front], createdBy: [system:serviceaccount:cdi:cdi]",
    ),
    pod: pod("web", "front"),
    expected: [
      "deny",
      null,
      "ROLE_NONE No role fits this Pod of account web/front: role front does not, who creates the workload is not known, and the role asks for it.",
    ],
  },
  {
    name: "where the namespace is not enrolled everything is a warning",
    catalogue: BASE.replace('{name: pay, labels: {signet.dev/enrol: "true"}}', "{name: pay}"),
    pod: pod("pay", "stranger"),
    expected: ["warn", null, "ROLE_NONE No role fits account pay/stranger."],
  },
  {
    name: "a namespace that nobody knows is not enrolled",
    pod: pod("elsewhere", "front"),
    expected: ["warn", null, "ROLE_NONE No role fits account elsewhere/front."],
  },
  {
    name: "a failed check in an enforced segment refuses",
    pod: pod("pay", "orders-db", { spec: "hostPID: true" }),
    expected: ["deny", "orders-db", "HOST_PID It sees the node's processes, which role orders-db does not permit."],
  },
  {
    name: "and warns while the segment only observes",
    catalogue: BASE.replace("namespaces: [pay], mode: enforce", "namespaces: [pay], mode: observe"),
    pod: pod("pay", "orders-db", { spec: "hostPID: true" }),
    expected: ["warn", "orders-db", "HOST_PID It sees the node's processes, which role orders-db does not permit."],
  },
  {
    name: "a segment without a mode observes",
    catalogue: BASE.replace("namespaces: [pay], mode: enforce", "namespaces: [pay]"),
    pod: pod("pay", "orders-db", { spec: "hostIPC: true" }),
    expected: ["warn", "orders-db", "HOST_IPC It shares the node's IPC, which role orders-db does not permit."],
  },
  {
    name: "in canary it refuses those that are named",
    catalogue: BASE.replace(
      "namespaces: [pay], mode: enforce",
      "namespaces: [pay], mode: canary, canary: {workloads: [p]}",
    ),
    pod: pod("pay", "orders-db", { spec: "hostPID: true" }),
    expected: ["deny", "orders-db", "HOST_PID It sees the node's processes, which role orders-db does not permit."],
  },
  {
    name: "and warns the rest",
    catalogue: BASE.replace(
      "namespaces: [pay], mode: enforce",
      "namespaces: [pay], mode: canary, canary: {workloads: [other]}",
    ),
    pod: pod("pay", "orders-db", { spec: "hostPID: true" }),
    expected: ["warn", "orders-db", "HOST_PID It sees the node's processes, which role orders-db does not permit."],
  },
  {
    name: "without a role an observed segment does not help: the enrolled namespace refuses",
    catalogue: BASE.replaceAll("mode: enforce", "mode: observe"),
    pod: pod("pay", "stranger"),
    expected: ["deny", null, "ROLE_NONE No role fits account pay/stranger."],
  },
  {
    name: "what the role permits is no escape",
    pod: pod("web", "front", { spec: "hostNetwork: true" }),
    expected: ["admit", "front"],
  },
  {
    name: "a permitted host path covers what lies below it",
    pod: pod("web", "front", { spec: "volumes: [{name: v, hostPath: {path: /srv//import/today/}}]" }),
    expected: ["admit", "front"],
  },
  {
    name: "but not its neighbour that only begins alike",
    pod: pod("web", "front", { spec: "volumes: [{name: v, hostPath: {path: /srv/import2}}]" }),
    expected: [
      "deny",
      "front",
      "HOST_PATH It mounts a path of the node, which role front does not permit (/srv/import2).",
    ],
  },
  {
    name: "nor a path that steps back out of it",
    pod: pod("web", "front", { spec: "volumes: [{name: v, hostPath: {path: /srv/import/../../etc}}]" }),
    expected: [
      "deny",
      "front",
      "HOST_PATH It mounts a path of the node, which role front does not permit (/srv/import/../../etc).",
    ],
  },
  {
    name: "a permitted capability may be spelt with its prefix",
    pod: pod("web", "front", {
      spec: "containers: [{name: c, securityContext: {capabilities: {add: [CAP_NET_ADMIN, CHOWN]}}}]",
    }),
    expected: ["admit", "front"],
  },
  {
    name: "another one is refused, in an init container too",
    pod: pod("web", "front", {
      spec: "initContainers: [{name: c, securityContext: {capabilities: {add: [SYS_ADMIN]}}}]",
    }),
    expected: ["deny", "front", "CAPABILITY_ADDED It adds a capability, which role front does not permit (SYS_ADMIN)."],
  },
  {
    name: "privileged is refused in an ephemeral container",
    pod: pod("web", "front", { spec: "ephemeralContainers: [{name: c, securityContext: {privileged: true}}]" }),
    expected: ["deny", "front", "PRIVILEGED It runs privileged, which role front does not permit."],
  },
  {
    name: "a volume of our signer that the manifest brings is refused",
    pod: pod("web", "front", {
      spec: "volumes: [{name: v, projected: {sources: [{podCertificate: {signerName: signet.dev/svid, keyType: ED25519}}]}}]",
    }),
    expected: [
      "deny",
      "front",
      "SIGNER_VOLUME It mounts a certificate of Signet's signer by itself, which role front does not permit.",
    ],
  },
  {
    name: "a second network is refused where no target covers it",
    pod: pod("web", "front", { annotations: "k8s.v1.cni.cncf.io/networks: storage" }),
    expected: [
      "deny",
      "front",
      "UNCOVERED_INTERFACE It has an interface that no active target covers, which role front does not permit.",
    ],
  },
  {
    name: "somebody else's reserved keys are overwritten and listed",
    pod: pod("web", "front", {
      labels: "signet.dev/segment: payments, role.signet.dev/tier: data",
      annotations: "signet.dev/spiffe-id: spiffe://example.org/ns/pay/sa/orders-db",
    }),
    expected: [
      "warn",
      "front",
      "STAMP_OVERWRITTEN The reserved key signet.dev/segment was overwritten.",
      "STAMP_OVERWRITTEN The reserved key role.signet.dev/tier was removed.",
      "STAMP_OVERWRITTEN The reserved key signet.dev/spiffe-id was overwritten.",
    ],
  },
  {
    name: "a label that claims a role which does not fit is refused",
    pod: pod("web", "front", { labels: "signet.dev/role: orders-db" }),
    expected: [
      "deny",
      "front",
      'ROLE_NOT_ENTITLED The label signet.dev/role claims "orders-db", which does not fit this Pod.',
    ],
  },
  {
    name: "even while the segment only observes",
    catalogue: BASE.replaceAll("mode: enforce", "mode: observe"),
    pod: pod("web", "front", { labels: "signet.dev/role: orders-db" }),
    expected: [
      "deny",
      "front",
      'ROLE_NOT_ENTITLED The label signet.dev/role claims "orders-db", which does not fit this Pod.',
    ],
  },
  {
    name: "the right stamp, brought along, is no matter",
    pod: pod("web", "front", { labels: "signet.dev/role: front" }),
    expected: ["admit", "front"],
  },
  {
    name: "with required approval what nobody approved is refused",
    pod: pod("web", "front"),
    approval: true,
    expected: ["deny", "front", "APPROVAL_MISSING Role front is not known to be approved."],
  },
  {
    name: "a namespace that cannot be part of an identity is refused",
    pod: pod("web", '"a/sa/b"'),
    expected: ["deny", null, 'IDENTITY_INVALID "a/sa/b" cannot be part of a SPIFFE ID.'],
  },
  {
    name: "a cluster's own namespace is never in the way",
    pod: pod("kube-system", "anything", { spec: "hostNetwork: true" }),
    expected: ["admit", null],
  },
  {
    name: "but carries no stamps",
    pod: pod("kube-system", "anything", { labels: "signet.dev/role: front" }),
    expected: ["deny", null, "FORGED The reserved key signet.dev/role may not be used in kube-system."],
  },
];

for (const row of ROWS)
  test(row.name, () => {
    const terms = {
      ...(row.creator === undefined ? {} : { creator: row.creator }),
      requireApproval: row.approval === true,
    };
    expect(seen(row.catalogue ?? BASE, row.pod, terms)).toEqual(row.expected);
  });
