/** An object and the path it is created under. */
export type Placed = { readonly path: string; readonly body: object };

type Spec = Readonly<Record<string, unknown>>;

/** A NetworkPolicy of namespace `lab`. */
export function networkPolicy(name: string, spec: Spec): Placed {
  const body = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name }, spec };
  return { path: "/apis/networking.k8s.io/v1/namespaces/lab/networkpolicies", body };
}

/** An AdminNetworkPolicy, or the BaselineAdminNetworkPolicy, of v1alpha1. */
export function adminPolicy(kind: "AdminNetworkPolicy" | "BaselineAdminNetworkPolicy", spec: Spec): Placed {
  const plural = kind === "AdminNetworkPolicy" ? "adminnetworkpolicies" : "baselineadminnetworkpolicies";
  const body = { apiVersion: "policy.networking.k8s.io/v1alpha1", kind, metadata: { name: "default" }, spec };
  return { path: `/apis/policy.networking.k8s.io/v1alpha1/${plural}`, body };
}

/** A ClusterNetworkPolicy of v1alpha2. */
export function clusterPolicy(tier: "Admin" | "Baseline", spec: Spec): Placed {
  const metadata = { name: tier.toLowerCase() };
  const body = {
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
    metadata,
    spec: { tier, priority: 10, ...spec },
  };
  return { path: "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies", body };
}

const app = (name: string) => ({ matchLabels: { app: name } });
const in2 = { matchLabels: { "kubernetes.io/metadata.name": "ns2" } };

/** Nothing goes in to any Pod of `lab`. */
export const DENY_ALL = networkPolicy("deny", { podSelector: {}, policyTypes: ["Ingress"] });
/** web may reach db on tcp/5432. */
export const WEB_TO_DB = networkPolicy("web-db", {
  podSelector: app("db"),
  ingress: [{ from: [{ podSelector: app("web") }], ports: [{ protocol: "TCP", port: 5432 }] }],
});
const toDb = (name: string, from: object, ports: readonly object[]) =>
  networkPolicy(name, { podSelector: app("db"), ingress: [{ from: [from], ports }] });

/** A case that judges must agree on: what is applied, and which lines then pass. */
export type Case = { readonly title: string; readonly objects: readonly Placed[]; readonly passes: RegExp };

/** Lines that `lab`'s ingress policies don't speak of: all that go to ns2. */
const TO_EXT = "\\w+ -> ext .*";

/** Kinds that every judge knows. */
export const COMMON: readonly Case[] = [
  { title: "a default deny leaves only what goes elsewhere", objects: [DENY_ALL], passes: line() },
  {
    title: "one allowed port of one Pod is open to one other, and nothing else is",
    objects: [DENY_ALL, WEB_TO_DB],
    passes: line("web -> db tcp/5432"),
  },
  {
    title: "UDP is another port than TCP of the same number",
    objects: [DENY_ALL, toDb("udp", { podSelector: app("web") }, [{ protocol: "UDP", port: 5432 }])],
    passes: line("web -> db udp/5432"),
  },
  {
    title: "a range of ports reaches up to its end",
    objects: [DENY_ALL, toDb("range", { podSelector: app("other") }, [{ protocol: "TCP", port: 5000, endPort: 6000 }])],
    passes: line("other -> db tcp/5432"),
  },
  {
    title: "a peer of another namespace is meant by namespace and label together",
    objects: [DENY_ALL, toDb("ns", { namespaceSelector: in2, podSelector: app("ext") }, [{ port: 8080 }])],
    passes: line("ext -> db tcp/8080"),
  },
  {
    title: "a deny of what goes out of one Pod stops it alone",
    objects: [networkPolicy("out", { podSelector: app("web"), policyTypes: ["Egress"] })],
    passes: /^(?!web ->)/,
  },
];

const FROM_WEB_V1 = { pods: { namespaceSelector: {}, podSelector: app("web") } };
const DB_V1 = {
  pods: { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "lab" } }, podSelector: app("db") },
};

/** Admin kinds in the form of each judge: a deny above all NetworkPolicies, and a baseline below them. */
export const ADMIN: Readonly<Record<"calico" | "cilium", readonly Case[]>> = {
  calico: [
    {
      title: "an AdminNetworkPolicy's deny wins over a NetworkPolicy's allow",
      objects: [
        WEB_TO_DB,
        adminPolicy("AdminNetworkPolicy", {
          priority: 10,
          subject: DB_V1,
          ingress: [{ action: "Deny", from: [FROM_WEB_V1] }],
        }),
      ],
      passes: /^(?!\w+ -> db )/,
    },
    {
      title: "a BaselineAdminNetworkPolicy's deny loses to a NetworkPolicy's allow",
      objects: [
        WEB_TO_DB,
        adminPolicy("BaselineAdminNetworkPolicy", {
          subject: { namespaces: { matchLabels: { "kubernetes.io/metadata.name": "lab" } } },
          ingress: [{ action: "Deny", from: [FROM_WEB_V1] }],
        }),
      ],
      passes: /^(web -> db tcp\/5432|web -> ext .*|(?!web ->)\w+ -> (?!db)\w+ .*)$/,
    },
  ],
  cilium: [
    {
      title: "a ClusterNetworkPolicy's deny in the Admin tier wins over a NetworkPolicy's allow",
      objects: [
        WEB_TO_DB,
        clusterPolicy("Admin", { subject: DB_V1, ingress: [{ action: "Deny", from: [FROM_WEB_V1] }] }),
      ],
      passes: /^(?!\w+ -> db )/,
    },
    {
      title: "a ClusterNetworkPolicy's deny in the Baseline tier loses to a NetworkPolicy's allow",
      objects: [
        WEB_TO_DB,
        clusterPolicy("Baseline", {
          subject: { namespaces: { matchLabels: { "kubernetes.io/metadata.name": "lab" } } },
          ingress: [{ action: "Deny", from: [FROM_WEB_V1] }],
        }),
      ],
      passes: /^(web -> db tcp\/5432|web -> ext .*|(?!web ->)\w+ -> (?!db)\w+ .*)$/,
    },
  ],
};

function line(...allowed: readonly string[]): RegExp {
  return new RegExp(`^(${[TO_EXT, ...allowed].join("|")})$`);
}
