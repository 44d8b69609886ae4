/**
 * A second evaluator, as plain as can be: it reads the raw objects for each question anew, port by port, and shares no
 * line with the product. Slow, and that is its merit.
 */
type Selector = {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
};
type Labels = Readonly<Record<string, string>>;

/** A Pod of a generated world; its labels, its named ports, its address. */
type OraclePod = {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly ports: readonly { readonly name: string; readonly containerPort: number; readonly protocol: string }[];
  readonly ip: string;
};
type NetworkPeer = {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
};
type NetworkRule = {
  readonly from?: readonly NetworkPeer[];
  readonly to?: readonly NetworkPeer[];
  readonly ports?: readonly {
    readonly protocol?: string;
    readonly port?: number | string;
    readonly endPort?: number;
  }[];
};
type Side = "ingress" | "egress";
type SubjectOrPeer = {
  readonly namespaces?: Selector;
  readonly pods?: { readonly namespaceSelector?: Selector; readonly podSelector?: Selector };
  readonly networks?: readonly string[];
};
type TieredPort = {
  readonly portNumber?: { readonly protocol: string; readonly port: number };
  readonly portRange?: { readonly protocol: string; readonly start: number; readonly end: number };
  readonly namedPort?: string;
};
type TieredRule = {
  readonly action: string;
  readonly from?: readonly SubjectOrPeer[];
  readonly to?: readonly SubjectOrPeer[];
  readonly ports?: readonly TieredPort[];
};

/** A NetworkPolicy as written. */
export type OracleNetworkPolicy = {
  readonly namespace: string;
  readonly spec: { readonly podSelector: Selector; readonly policyTypes?: readonly string[] } & {
    readonly [S in Side]?: readonly NetworkRule[];
  };
};
/** An AdminNetworkPolicy, a BaselineAdminNetworkPolicy (no priority), or their successor with the same words. */
export type OracleTieredPolicy = {
  readonly kind: "AdminNetworkPolicy" | "BaselineAdminNetworkPolicy" | "ClusterNetworkPolicy";
  readonly baseline: boolean;
  readonly spec: { readonly priority?: number; readonly subject: SubjectOrPeer } & {
    readonly [S in Side]?: readonly TieredRule[];
  };
};
/** A generated world. */
export type OracleWorld = {
  readonly namespaces: Readonly<Record<string, Labels>>;
  readonly pods: readonly OraclePod[];
  readonly network: readonly OracleNetworkPolicy[];
  readonly tiered: readonly OracleTieredPolicy[];
};
/** One end: a Pod, or an address outside. */
export type OracleEnd = OraclePod | string;

/** One door asked about one port of the destination: `self` owns the door, `other` stands at its far end. */
type Asked = {
  readonly side: Side;
  readonly other: OracleEnd;
  readonly to: OracleEnd;
  readonly protocol: string;
  readonly port: number;
};

/** Whether `from` may reach `to` on the port. */
export function oracleAllows(
  world: OracleWorld,
  from: OracleEnd,
  to: OracleEnd,
  protocol: string,
  port: number,
): boolean {
  return (
    doorLets(world, from, { side: "egress", other: to, to, protocol, port }) &&
    doorLets(world, to, { side: "ingress", other: from, to, protocol, port })
  );
}

function doorLets(world: OracleWorld, self: OracleEnd, asked: Asked): boolean {
  if (typeof self === "string") return true;
  const admin = tierSays(world, false, self, asked);
  if (admin === "Allow" || admin === "Accept") return true;
  if (admin === "Deny") return false;
  const selecting = world.network.filter(
    (policy) =>
      policy.namespace === self.namespace &&
      fits(policy.spec.podSelector, self.labels) &&
      typesOf(policy).includes(asked.side),
  );
  if (selecting.length > 0)
    return selecting.some((policy) =>
      (policy.spec[asked.side] ?? []).some((rule) => networkRuleFits(world, policy, rule, asked)),
    );
  return tierSays(world, true, self, asked) !== "Deny";
}

const typesOf = ({ spec }: OracleNetworkPolicy): readonly string[] =>
  spec.policyTypes?.map((type) => type.toLowerCase()) ?? (spec.egress?.length ? ["ingress", "egress"] : ["ingress"]);

function networkRuleFits(world: OracleWorld, policy: OracleNetworkPolicy, rule: NetworkRule, asked: Asked): boolean {
  const peers = (asked.side === "ingress" ? rule.from : rule.to) ?? [];
  const ports = rule.ports ?? [];
  const peerFits = peers.length === 0 || peers.some((peer) => networkPeerFits(world, policy, peer, asked.other));
  return peerFits && (ports.length === 0 || ports.some((one) => networkPortFits(one, asked)));
}

function networkPeerFits(
  world: OracleWorld,
  policy: OracleNetworkPolicy,
  peer: NetworkPeer,
  other: OracleEnd,
): boolean {
  if (peer.ipBlock)
    return (
      typeof other === "string" &&
      inCidr(other, peer.ipBlock.cidr) &&
      !(peer.ipBlock.except ?? []).some((cidr) => inCidr(other, cidr))
    );
  if (typeof other === "string") return false;
  const inNamespace = peer.namespaceSelector
    ? fits(peer.namespaceSelector, labelsOf(world, other))
    : other.namespace === policy.namespace;
  return inNamespace && fits(peer.podSelector ?? {}, other.labels);
}

function networkPortFits(one: NonNullable<NetworkRule["ports"]>[number], { to, protocol, port }: Asked): boolean {
  if ((one.protocol ?? "TCP") !== protocol) return false;
  if (one.port === undefined) return true;
  if (typeof one.port === "number") return port >= one.port && port <= (one.endPort ?? one.port);
  const named =
    typeof to === "string"
      ? undefined
      : to.ports.find((listed) => listed.name === one.port && listed.protocol === protocol);
  return named?.containerPort === port;
}

/** What the first fitting rule of a tier says; Pass, or nothing, if the tier says nothing. */
function tierSays(world: OracleWorld, baseline: boolean, self: OraclePod, asked: Asked): string {
  const policies = world.tiered
    .filter((policy) => policy.baseline === baseline)
    .sort((a, b) => (a.spec.priority ?? 0) - (b.spec.priority ?? 0));
  for (const policy of policies) {
    if (!subjectFits(world, policy.spec.subject, self)) continue;
    for (const rule of policy.spec[asked.side] ?? []) {
      const peers = (asked.side === "ingress" ? rule.from : rule.to) ?? [];
      const ports = rule.ports ?? [];
      if (!peers.some((peer) => tieredPeerFits(world, policy, peer, asked.other))) continue;
      if (ports.length === 0 || ports.some((one) => tieredPortFits(one, asked))) return rule.action;
    }
  }
  return "nothing";
}

const subjectFits = (world: OracleWorld, subject: SubjectOrPeer, pod: OraclePod): boolean =>
  subject.namespaces
    ? fits(subject.namespaces, labelsOf(world, pod))
    : fits(subject.pods?.namespaceSelector ?? {}, labelsOf(world, pod)) &&
      fits(subject.pods?.podSelector ?? {}, pod.labels);

function tieredPeerFits(
  world: OracleWorld,
  policy: OracleTieredPolicy,
  peer: SubjectOrPeer,
  other: OracleEnd,
): boolean {
  if (!peer.networks) return typeof other !== "string" && subjectFits(world, peer, other);
  if (typeof other === "string") return peer.networks.some((cidr) => inCidr(other, cidr));
  return policy.kind === "ClusterNetworkPolicy" && peer.networks.some((cidr) => inCidr(other.ip, cidr));
}

function tieredPortFits(one: TieredPort, { to, protocol, port }: Asked): boolean {
  if (one.portNumber) return one.portNumber.protocol === protocol && one.portNumber.port === port;
  if (one.portRange)
    return one.portRange.protocol === protocol && port >= one.portRange.start && port <= one.portRange.end;
  const named = typeof to === "string" ? undefined : to.ports.find((listed) => listed.name === one.namedPort);
  return named?.containerPort === port && named.protocol === protocol;
}

const labelsOf = (world: OracleWorld, pod: OraclePod): Labels => ({
  "kubernetes.io/metadata.name": pod.namespace,
  ...world.namespaces[pod.namespace],
});

function fits(selector: Selector, labels: Labels): boolean {
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return (
    equal &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      const listed = value !== undefined && values.includes(value);
      return operator === "In" ? listed : !listed;
    })
  );
}

/** Addresses of these worlds are IPv4. */
function inCidr(ip: string, cidr: string): boolean {
  if (cidr.includes(":")) return false;
  const [base = "", bits = "32"] = cidr.split("/");
  const binary = (text: string): string =>
    text
      .split(".")
      .map((part) => Number(part).toString(2).padStart(8, "0"))
      .join("");
  return binary(ip).slice(0, Number(bits)) === binary(base).slice(0, Number(bits));
}
