import type { Definitions } from "../../src/domain/catalogue.ts";
import type { Flow, FlowEnd, OutsideEnd, Passage } from "../../src/domain/flow.ts";
import type { Peer, PortSpec } from "../../src/domain/sentences.ts";

/** What a rule says of one flow: nothing, something that cannot be told, or that it is meant. */
type Three = 0 | 1 | 2;
const all = (...parts: readonly Three[]): Three => Math.min(...parts) as Three;
const any = (parts: readonly Three[]): Three => Math.max(0, ...parts) as Three;
const sure = (truth: boolean): Three => (truth ? 2 : 0);

/**
 * The rules of meaning, written a second time and as plainly as they are told: no index, no sets, no compiled form.
 * Whatever the engine says of a flow has to be this.
 */
export function naiveVerdict(world: Definitions, { from, to, passage }: Flow, now: number): boolean {
  if ([from, to].some((end) => quarantined(world, end))) return false;
  const covers = (line: { from: Peer; to: Peer; on: readonly PortSpec[] }): Three =>
    all(means(line.from, from), means(line.to, to), any(line.on.map((spec) => meansPort(spec, passage, to))));
  const exceptions = world.exceptions.filter(
    (one) =>
      one.approval.state !== "missing" &&
      counts(one, now) &&
      owner(world, one.namespace, segmentOf(world, one.role)) &&
      [from, to].some((end) => end.kind === "workload" && end.role === one.role) &&
      "sentence" in one.permit &&
      covers(one.permit.sentence) === 2,
  );
  const guardrails = world.guardrails.filter((one) => one.approval.state !== "missing");
  const ended =
    guardrails.some((one) => one.deny.some((line) => counts(line, now) && covers(line) > 0)) ||
    guardrails.some((one) => one.fences.some((dimension) => differ(from, to, dimension)));
  if (ended)
    return exceptions.some(
      (one) => "sentence" in one.permit && exact(one.permit.sentence.from) && exact(one.permit.sentence.to),
    );
  const sentences = world.policies
    .filter((one) => policyCounts(world, one))
    .flatMap((one) => one.allow.filter(() => written(world, one.segment, from, to)));
  const allows = [...guardrails.flatMap((one) => one.allow), ...sentences];
  if (exceptions.length > 0 || allows.some((line) => counts(line, now) && covers(line) === 2)) return true;
  if (sameOpenSegment(world, from, to)) return true;
  return ![from, to].some((end) => enclosed(world, end));
}

const counts = (line: { notBefore?: number; expires?: number }, now: number): boolean =>
  now >= (line.notBefore ?? -1) && now < (line.expires ?? 99);

const exact = (peer: Peer): boolean => ["role", "namespace", "cidr", "fqdn", "externalIdentity"].includes(peer.by);

const segmentOf = (world: Definitions, role: string | undefined): string | undefined =>
  world.roles.find((one) => one.name === role)?.segment;

const owner = (world: Definitions, namespace: string, segment: string | undefined): boolean =>
  world.segments.some((one) => one.name === segment && one.namespaces.includes(namespace));

const policyCounts = (world: Definitions, one: Definitions["policies"][number]): boolean =>
  owner(world, one.namespace, one.segment) &&
  (one.approval.state !== "missing" ||
    world.segments.find((each) => each.name === one.segment)?.policyApproval === "none");

/** The owner of `to` writes, or the owner of `from` where `to` is nobody's. */
function written(world: Definitions, segment: string, from: FlowEnd, to: FlowEnd): boolean {
  const owners = (end: FlowEnd): readonly string[] => {
    if (end.kind !== "workload") return [];
    if (end.role !== undefined) return [segmentOf(world, end.role) ?? ""];
    return world.segments.filter((one) => one.namespaces.includes(end.namespace)).map((one) => one.name);
  };
  return owners(to).includes(segment) || (owners(to).length === 0 && owners(from).includes(segment));
}

function quarantined(world: Definitions, end: FlowEnd): boolean {
  if (end.kind !== "workload") return false;
  return world.restrictions
    .filter((one) => one.effect === "quarantine")
    .some(({ target }) =>
      target.by === "role"
        ? end.role === target.name
        : target.by === "segment"
          ? end.segment === target.name
          : target.by === "pod" && target.name === end.object.name && target.namespace === end.namespace,
    );
}

const differ = (from: FlowEnd, to: FlowEnd, dimension: "environment" | "classification"): boolean =>
  from.kind === "workload" &&
  to.kind === "workload" &&
  from[dimension] !== undefined &&
  to[dimension] !== undefined &&
  from[dimension] !== to[dimension];

const sameOpenSegment = (world: Definitions, from: FlowEnd, to: FlowEnd): boolean =>
  from.kind === "workload" &&
  to.kind === "workload" &&
  from.segment === to.segment &&
  world.segments.some((one) => one.name === from.segment && one.intra === "allow");

function enclosed(world: Definitions, end: FlowEnd): boolean {
  if (end.kind !== "workload") return false;
  const own = world.segments.find((one) => one.name === end.segment);
  if (own?.mode === "enforce" || (own?.mode === "canary" && end.inCanary)) return true;
  const enrolled = world.namespaces.some((one) => one.name === end.namespace && one.enrolled);
  return (
    enrolled &&
    world.segments.some(
      (one) =>
        one.namespaces.includes(end.namespace) &&
        (one.mode === "enforce" || (one.mode === "canary" && one.canary.namespaces.includes(end.namespace))),
    )
  );
}

function means(peer: Peer, end: FlowEnd): Three {
  if (peer.by === "entity")
    return sure(peer.name === "any" || (peer.name === "nodes" ? end.kind === "node" : end.kind !== "workload"));
  if (end.kind === "workload") {
    if (peer.by === "namespace")
      return sure(
        end.role === undefined &&
          end.namespace === peer.name &&
          peer.podLabels.every(({ key, values }) => values.includes(end.labels[key] ?? "")),
      );
    return sure("name" in peer && peer.by !== "fqdn" && end[peer.by] === peer.name);
  }
  if (peer.by === "cidr") return meansAddress(peer.cidr, end.addresses);
  return end.kind === "node" ? 0 : meansOutside(peer, end);
}

function meansAddress(cidr: { first: bigint; last: bigint }, addresses: OutsideEnd["addresses"]): Three {
  if (!addresses) return 1;
  let inside = 0;
  for (let one = addresses.first; one <= addresses.last; one += 1n)
    if (one >= cidr.first && one <= cidr.last) inside += 1;
  if (inside === 0) return 0;
  return BigInt(inside) === addresses.last - addresses.first + 1n ? 2 : 1;
}

function meansOutside(peer: Peer, end: OutsideEnd): Three {
  if (peer.by === "externalIdentity") return end.identity === undefined ? 1 : sure(end.identity === peer.spiffeId);
  if (peer.by !== "fqdn") return 0;
  if (!end.dnsNames) return 1;
  return sure(
    end.dnsNames.some((name) => name === peer.name || (peer.name === "*.example" && name.endsWith(".example"))),
  );
}

function meansPort(spec: PortSpec, passage: Passage, to: FlowEnd): Three {
  if (spec.protocol === "any") return 2;
  if (spec.protocol !== passage.protocol) return 0;
  if ("port" in passage) {
    if ("portName" in spec) {
      const ports = to.kind === "workload" ? to.ports : [];
      return sure(
        ports.some((one) => one.name === spec.portName && one.protocol === spec.protocol && one.port === passage.port),
      );
    }
    return sure("first" in spec && passage.port >= spec.first && passage.port <= spec.last);
  }
  if (!("type" in spec) || spec.type === undefined) return 2;
  return passage.type === undefined ? 1 : sure(passage.type === spec.type);
}
