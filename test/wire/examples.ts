/** A plain object of one of Signet's kinds, with every field written. */
export type Example = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Readonly<Record<string, unknown>>;
};

const cluster = (kind: string, name: string, spec: Example["spec"]): Example => ({
  apiVersion: "signet.dev/v1alpha1",
  kind,
  metadata: { name },
  spec,
});

const namespaced = (kind: string, name: string, spec: Example["spec"]): Example => ({
  ...cluster(kind, name, spec),
  metadata: { namespace: "payments", name },
});

/** One valid object of each kind. */
export const EXAMPLES = {
  TrustDomain: cluster("TrustDomain", "local", {
    domain: "prod-eu.example.org",
    leaf: { maxTTL: "4h", keyType: "ECDSAP256" },
    approvals: { required: 2, gitOps: ["system:serviceaccount:argocd:argocd-application-controller"] },
  }),
  Segment: cluster("Segment", "payments", {
    environment: "prod",
    classification: "pci",
    owner: "payments@example.org",
    namespaces: ["payments"],
    isolation: "strict",
    intra: "deny",
    policyApproval: "required",
    mode: "canary",
    canary: { workloads: ["Deployment/orders"], namespaces: ["payments"] },
    leaf: { maxTTL: "1h" },
    fallback: "observe",
  }),
  WorkloadRole: cluster("WorkloadRole", "orders-db", {
    segment: "payments",
    match: {
      namespaces: ["payments"],
      serviceAccounts: ["orders-db"],
      kinds: ["Pod", "VirtualMachine"],
      podLabels: {
        matchLabels: { app: "orders" },
        matchExpressions: [{ key: "tier", operator: "In", values: ["data"] }],
      },
      createdBy: ["system:serviceaccount:kube-system:statefulset-controller"],
    },
    labels: { tier: "data" },
    identity: {
      delivery: "podCertificate",
      maxTTL: "1h",
      dnsNames: ["orders-db.example.org"],
      keyType: "ECDSAP256",
      federatesWith: ["partner"],
    },
    permits: ["hostPath:/srv/orders", "capability:NET_ADMIN"],
  }),
  SegmentPolicy: namespaced("SegmentPolicy", "orders-db", {
    segment: "payments",
    allow: [
      {
        from: { role: "checkout" },
        to: { role: "orders-db" },
        on: ["tcp/5432", "udp/8000-8100", "tcp/metrics", "icmp/8"],
        data: { protocol: "postgres", operations: ["select"], tables: ["orders"], required: false },
        why: "checkout writes orders",
        ticket: "SHOP-412",
        notBefore: "2026-12-01T00:00:00Z",
        expires: "2027-01-01T00:00:00Z",
      },
      { from: { role: "orders-db" }, to: { cidr: "10.0.0.0/8" }, on: ["any"] },
      { from: { role: "orders-db" }, to: { fqdn: "*.example.org" }, on: ["tcp/443"] },
    ],
  }),
  Guardrail: cluster("Guardrail", "base", {
    fences: ["environment", "classification"],
    deny: [{ from: { environment: "test" }, to: { classification: "pci" }, why: "never" }],
    allow: [{ from: { entity: "any" }, to: { namespace: { name: "kube-dns" } }, on: ["udp/53"] }],
  }),
  SegmentException: namespaced("SegmentException", "legacy-import", {
    permit: { check: "hostPath", path: "/srv/import" },
    workloads: { role: "orders-db" },
    reason: "the old importer reads a folder",
    ticket: "SHOP-9",
    notBefore: "2026-11-01T00:00:00Z",
    expires: "2026-12-24T00:00:00Z",
  }),
  ExternalWorkload: namespaced("ExternalWorkload", "db-vm-7", {
    kind: "Machine",
    serviceAccount: "orders-db",
    join: { method: "boundKeypair", publicKey: "-----BEGIN PUBLIC KEY-----" },
    addresses: ["192.0.2.7", "2001:db8::7"],
  }),
  Restriction: cluster("Restriction", "q-2026-11-30-1", {
    target: { pod: { namespace: "payments", name: "orders-0", uid: "u-1" } },
    effect: "quarantine",
    reason: "it scans",
    ticket: "SEC-1",
  }),
} as const satisfies Readonly<Record<string, Example>>;

/** Name of a kind that has an example. */
export type ExampleKind = keyof typeof EXAMPLES;

/** A copy of the kind's example with the value at the path (below spec) replaced, or removed where it is undefined. */
export function mutated(kind: ExampleKind, path: readonly (string | number)[], value: unknown): Example {
  const copy: { spec: unknown } = structuredClone(EXAMPLES[kind]);
  copy.spec = replaced(copy.spec, path, value);
  return copy as Example;
}

function replaced(at: unknown, [step, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (step === undefined) return value;
  const holder = at as Record<string | number, unknown>;
  const inner = replaced(holder[step], rest, value);
  if (Array.isArray(at)) return at.map((item: unknown, index) => (index === step ? inner : item));
  return Object.fromEntries(Object.entries({ ...holder, [step]: inner }).filter(([, child]) => child !== undefined));
}
