import fc from "fast-check";
import type { ForeignObject } from "../../src/policy/foreign/object.ts";
import type { OracleNetworkPolicy, OracleTieredPolicy, OracleWorld } from "./oracle.ts";

// Small alphabets, so that selectors, ports and addresses meet each other often.
const NAMESPACES = ["a", "b"] as const;
const PROTOCOLS = ["TCP", "UDP"] as const;
const NAMES = ["web", "dns"] as const;

/** Ports that questions ask for, and that rules are made of. */
export const PORTS = [79, 80, 81, 90] as const;
/** Addresses that questions ask for; the blocks below tell them apart. */
export const ADDRESSES = ["10.0.0.1", "10.0.0.9", "10.0.1.1", "192.168.0.1"] as const;
const CIDRS = ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.8/29", "10.0.0.9/32", "10.0.2.0/30"] as const;

const labels = fc.dictionary(fc.constantFrom("x", "y"), fc.constantFrom("1", "2"), {
  noNullPrototype: true,
  maxKeys: 2,
});
const expression = fc.oneof(
  fc.record({
    key: fc.constantFrom("x", "y"),
    operator: fc.constantFrom("In", "NotIn"),
    values: fc.uniqueArray(fc.constantFrom("1", "2"), { minLength: 1 }),
  }),
  fc.record({ key: fc.constantFrom("x", "y"), operator: fc.constantFrom("Exists", "DoesNotExist") }),
);
const selector = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.record({ matchLabels: labels }) },
  {
    weight: 1,
    arbitrary: fc.record({ matchLabels: labels, matchExpressions: fc.array(expression, { maxLength: 2 }) }),
  },
);

const pod = fc.record({
  namespace: fc.constantFrom(...NAMESPACES),
  labels,
  ports: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom(...NAMES),
      containerPort: fc.constantFrom(...PORTS),
      protocol: fc.constantFrom(...PROTOCOLS),
    }),
    { maxLength: 2, selector: ({ name }) => name },
  ),
});

const block = fc.record(
  { cidr: fc.constantFrom(...CIDRS), except: fc.array(fc.constantFrom(...CIDRS.slice(1)), { maxLength: 1 }) },
  { requiredKeys: ["cidr"] },
);
const networkPeer = fc.oneof(
  fc.record({ ipBlock: block }),
  fc.record({ podSelector: selector }),
  fc.record({ namespaceSelector: selector }),
  fc.record({ namespaceSelector: selector, podSelector: selector }),
);
const number = fc.constantFrom(...PORTS);
const protocol = fc.constantFrom(...PROTOCOLS);
const numberedPort = fc.oneof(
  fc.record({ protocol }),
  fc.record({ protocol, port: number }, { requiredKeys: ["port"] }),
  fc.record({ protocol, port: number, endPort: fc.constantFrom(90, 100) }),
);
const networkPort = fc.oneof(
  { weight: 3, arbitrary: numberedPort },
  { weight: 1, arbitrary: fc.record({ protocol, port: fc.constantFrom(...NAMES) }) },
);
const networkRule = (side: "from" | "to") =>
  fc
    .record(
      { [side]: fc.array(networkPeer, { maxLength: 2 }), ports: fc.array(networkPort, { maxLength: 2 }) },
      { requiredKeys: [] },
    )
    .map((rule) => withoutNamesTowardsBlocks(rule as { to?: { ipBlock?: unknown }[]; ports?: { port?: unknown }[] }));

/** A named port towards an ipBlock is refused by the reader, so it can't be asked about. */
const withoutNamesTowardsBlocks = <R extends { to?: { ipBlock?: unknown }[]; ports?: { port?: unknown }[] }>(
  rule: R,
): R =>
  rule.to?.some((peer) => peer.ipBlock) && rule.ports?.some((port) => typeof port.port === "string")
    ? { ...rule, ports: [{ port: 80 }] }
    : rule;

const networkPolicy = fc.record({
  namespace: fc.constantFrom(...NAMESPACES),
  spec: fc.record(
    {
      podSelector: selector,
      policyTypes: fc.uniqueArray(fc.constantFrom("Ingress", "Egress"), { minLength: 1 }),
      ingress: fc.array(networkRule("from"), { maxLength: 2 }),
      egress: fc.array(networkRule("to"), { maxLength: 2 }),
    },
    { requiredKeys: ["podSelector"] },
  ),
});

const subject = fc.oneof(
  fc.record({ namespaces: selector }),
  fc.record({ pods: fc.record({ namespaceSelector: selector, podSelector: selector }) }),
);
const networks = fc.record({ networks: fc.uniqueArray(fc.constantFrom(...CIDRS), { minLength: 1, maxLength: 2 }) });
const tieredPort = fc.oneof(
  { weight: 2, arbitrary: fc.record({ portNumber: fc.record({ protocol, port: number }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      portRange: fc.record({ protocol, start: fc.constantFrom(79, 80), end: fc.constantFrom(80, 90) }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ namedPort: fc.constantFrom(...NAMES) }) },
);
const tieredRules = (side: "from" | "to", actions: readonly string[]) =>
  fc.array(
    fc.record(
      {
        action: fc.constantFrom(...actions),
        [side]: fc.array(
          side === "from" ? subject : fc.oneof({ weight: 2, arbitrary: subject }, { weight: 1, arbitrary: networks }),
          { minLength: 1, maxLength: 2 },
        ),
        ports: fc.array(tieredPort, { minLength: 1, maxLength: 2 }),
      },
      { requiredKeys: ["action", side] },
    ),
    { maxLength: 3 },
  );
const tiered = (actions: readonly string[]) =>
  fc.record({ subject, ingress: tieredRules("from", actions), egress: tieredRules("to", actions) });

const adminPolicies = fc.oneof(
  fc
    .array(tiered(["Allow", "Deny", "Pass"]), { maxLength: 2 })
    .map((specs) => withPriorities("AdminNetworkPolicy", false, specs)),
  fc
    .array(tiered(["Accept", "Deny", "Pass"]), { maxLength: 2 })
    .map((specs) => withPriorities("ClusterNetworkPolicy", false, specs)),
);
const baselinePolicies = fc.oneof(
  fc
    .array(tiered(["Allow", "Deny"]), { maxLength: 1 })
    .map((specs) => withPriorities("BaselineAdminNetworkPolicy", true, specs)),
  fc
    .array(tiered(["Accept", "Deny", "Pass"]), { maxLength: 2 })
    .map((specs) => withPriorities("ClusterNetworkPolicy", true, specs)),
);

type TieredSpec = Omit<OracleTieredPolicy["spec"], "priority">;

/** Priorities fall, so that the order of the file is not the order of the tier. */
const withPriorities = (
  kind: OracleTieredPolicy["kind"],
  baseline: boolean,
  specs: readonly object[],
): readonly OracleTieredPolicy[] =>
  specs.map((spec, index) => ({
    kind,
    baseline,
    spec: { ...(spec as TieredSpec), ...(kind === "BaselineAdminNetworkPolicy" ? {} : { priority: 50 - index }) },
  }));

/** Small worlds with every kind of policy. Each Pod has an address of its own in 10.0.2.0/24. */
export const worlds: fc.Arbitrary<OracleWorld> = fc.record({
  namespaces: fc.record({ a: labels, b: labels }),
  pods: fc
    .array(pod, { minLength: 2, maxLength: 4 })
    .map((pods) => pods.map((one, index) => ({ ...one, name: `p${index}`, ip: `10.0.2.${index + 1}` }))),
  network: fc.array(networkPolicy, { maxLength: 3 }) as fc.Arbitrary<OracleNetworkPolicy[]>,
  tiered: fc.tuple(adminPolicies, baselinePolicies).map(([admin, baseline]) => [...admin, ...baseline]),
});

/** The same world as plain Kubernetes objects. */
export function objectsOf(world: OracleWorld): readonly ForeignObject[] {
  const namespaces = Object.entries(world.namespaces).map(([name, own]) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: own },
  }));
  const pods = world.pods.map((one) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: one.name, namespace: one.namespace, labels: one.labels },
    spec: { containers: [{ ports: one.ports }] },
    status: { podIP: one.ip },
  }));
  const network = world.network.map(({ namespace, spec }, index) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: `n${index}`, namespace },
    spec,
  }));
  return [...namespaces, ...pods, ...network, ...world.tiered.map(tieredObject)].map((value) => ({
    value,
    locate: () => ({ file: "world", line: 1, column: 1 }),
  }));
}

function tieredObject({ kind, baseline, spec }: OracleTieredPolicy, index: number): object {
  if (kind !== "ClusterNetworkPolicy")
    return {
      apiVersion: "policy.networking.k8s.io/v1alpha1",
      kind,
      metadata: { name: kind === "AdminNetworkPolicy" ? `t${index}` : "default" },
      spec,
    };
  const rules = (side: "ingress" | "egress") =>
    (spec[side] ?? []).map(({ ports, ...rule }) => (ports ? { ...rule, protocols: ports.map(clusterProtocol) } : rule));
  return {
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind,
    metadata: { name: `t${index}` },
    spec: { ...spec, tier: baseline ? "Baseline" : "Admin", ingress: rules("ingress"), egress: rules("egress") },
  };
}

type TieredPorts = NonNullable<NonNullable<OracleTieredPolicy["spec"]["ingress"]>[number]["ports"]>;

function clusterProtocol({ portNumber, portRange, namedPort }: TieredPorts[number]): object {
  if (portNumber) return { [portNumber.protocol.toLowerCase()]: { destinationPort: { number: portNumber.port } } };
  if (portRange)
    return {
      [portRange.protocol.toLowerCase()]: {
        destinationPort: { range: { start: portRange.start, end: portRange.end } },
      },
    };
  return { destinationNamedPort: namedPort };
}
