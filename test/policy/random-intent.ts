import fc from "fast-check";
import { makeCatalogue, type Definitions } from "../../src/domain/catalogue.ts";
import type { Approval, Exception, Restriction, Role, Segment } from "../../src/domain/definitions.ts";
import type { Flow, FlowEnd, Passage, WorkloadEnd } from "../../src/domain/flow.ts";
import type { Guardrail, Peer, PortSpec, SegmentPolicy, Sentence } from "../../src/domain/sentences.ts";

/** Small alphabets, so that names collide. */
const SEGMENTS = ["s1", "s2"] as const;
const NAMESPACES = ["n1", "n2", "n3"] as const;
const VALUES = ["x", "y"] as const;
const ROLES = ["r1", "r2", "r3"] as const;
const PORTS = [1, 80, 81, 65535] as const;

const pick = <const T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const maybe = <T>(arb: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arb, { nil: undefined });
const given = <K extends string, T>(key: K, value: T | undefined): { readonly [k in K]?: T } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [k in K]?: T };

const approval: fc.Arbitrary<Approval> = pick<Approval>(
  { state: "unchecked" },
  { state: "approved", generation: 1, by: ["a"] },
  { state: "missing", generation: 1 },
);

/** Addresses of the tests: 10.0.0.0/30 and halves of it. */
const cidr = (first: number, last: number, text: string) => ({
  family: 4 as const,
  first: BigInt(first),
  last: BigInt(last),
  text,
});
const CIDRS = [cidr(0, 3, "0.0.0.0/30"), cidr(0, 1, "0.0.0.0/31"), cidr(2, 2, "0.0.0.2/32")];

const peer: fc.Arbitrary<Peer> = fc.oneof(
  { weight: 5, arbitrary: pick(...ROLES).map((name): Peer => ({ by: "role", name })) },
  { weight: 2, arbitrary: pick(...SEGMENTS).map((name): Peer => ({ by: "segment", name })) },
  { weight: 1, arbitrary: pick(...VALUES).map((name): Peer => ({ by: "environment", name })) },
  { weight: 1, arbitrary: pick(...VALUES).map((name): Peer => ({ by: "classification", name })) },
  {
    weight: 2,
    arbitrary: fc.tuple(pick(...NAMESPACES), fc.boolean()).map(
      ([name, narrow]): Peer => ({
        by: "namespace",
        name,
        podLabels: narrow ? [{ key: "app", operator: "In", values: ["a"] }] : [],
      }),
    ),
  },
  { weight: 1, arbitrary: pick(...CIDRS).map((one): Peer => ({ by: "cidr", cidr: one })) },
  { weight: 2, arbitrary: pick("a.example", "*.example").map((name): Peer => ({ by: "fqdn", name })) },
  { weight: 2, arbitrary: pick("spiffe://f/1").map((spiffeId): Peer => ({ by: "externalIdentity", spiffeId })) },
  { weight: 1, arbitrary: pick("nodes", "outside", "any").map((name): Peer => ({ by: "entity", name })) },
);

const portSpec: fc.Arbitrary<PortSpec> = fc.oneof(
  pick<PortSpec>(
    { protocol: "any" },
    { protocol: "icmp" },
    { protocol: "icmp", type: 8 },
    { protocol: "icmpv6", type: 8 },
  ),
  fc
    .tuple(pick("tcp", "udp"), pick(...PORTS), pick(...PORTS))
    .map(([protocol, a, b]): PortSpec => ({ protocol, first: Math.min(a, b), last: Math.max(a, b) })),
  pick<PortSpec>({ protocol: "tcp", portName: "web" }, { protocol: "any" }),
  fc.tuple(pick("tcp", "udp"), pick("web", "db")).map(([protocol, portName]): PortSpec => ({ protocol, portName })),
);

/** Instants of the tests run from 0 to 9. */
const window = fc
  .tuple(maybe(fc.integer({ min: 0, max: 5 })), maybe(fc.integer({ min: 4, max: 9 })))
  .map(([notBefore, expires]) => ({ ...given("notBefore", notBefore), ...given("expires", expires) }))
  .filter(({ notBefore, expires }) => notBefore === undefined || expires === undefined || notBefore < expires);

const sentence: fc.Arbitrary<Sentence> = fc
  .record({ from: peer, to: peer, on: fc.array(portSpec, { minLength: 1, maxLength: 2 }), window })
  .map(({ window: when, ...rest }) => ({ path: "spec", ...rest, ...when }));

/** Sentences where they stand: what decides on a flow is told by its place, so no two share one. */
const sentences = (
  side: "allow" | "deny",
  limits: { readonly minLength?: number; readonly maxLength: number },
): fc.Arbitrary<readonly Sentence[]> =>
  fc.array(sentence, limits).map((all) => all.map((one, index) => ({ ...one, path: `spec.${side}[${index}]` })));

const segment = (name: string): fc.Arbitrary<Segment> =>
  fc
    .record({
      namespaces: fc.subarray([...NAMESPACES]),
      intra: pick("allow" as const, "deny" as const),
      policyApproval: pick("required" as const, "none" as const),
      mode: pick<Segment["mode"]>("observe", "simulate", "canary", "enforce", "enforce"),
      canaryNamespaces: fc.uniqueArray(pick(...NAMESPACES), { maxLength: 1 }),
      environment: maybe(pick(...VALUES)),
      classification: maybe(pick(...VALUES)),
    })
    .map(({ canaryNamespaces, environment, classification, ...rest }) => ({
      name,
      approval: { state: "unchecked" },
      namespaceUids: {},
      isolation: "shared",
      canary: { workloads: [], namespaces: canaryNamespaces },
      ...rest,
      ...given("environment", environment),
      ...given("classification", classification),
    }));

const role = (name: string): fc.Arbitrary<Role> =>
  pick(...SEGMENTS).map((segmentName) => ({
    name,
    approval: { state: "unchecked" },
    segment: segmentName,
    match: { kinds: ["Pod"], labels: [], createdBy: [] },
    labels: {},
    permits: [],
    delivery: "none" as const,
    dnsNames: [],
    federatesWith: [],
  })) as fc.Arbitrary<Role>;

const policy = (name: string): fc.Arbitrary<SegmentPolicy> =>
  fc.record({
    name: fc.constant(name),
    approval,
    namespace: pick(...NAMESPACES),
    segment: pick(...SEGMENTS),
    allow: sentences("allow", { minLength: 2, maxLength: 4 }),
  });

const guardrail: fc.Arbitrary<Guardrail> = fc.record({
  name: fc.constant("g"),
  approval,
  fences: fc.uniqueArray(pick("environment" as const, "classification" as const), { maxLength: 2 }),
  deny: sentences("deny", { maxLength: 2 }),
  allow: sentences("allow", { maxLength: 2 }),
});

const exception = (name: string): fc.Arbitrary<Exception> =>
  fc
    .record({
      approval,
      namespace: pick(...NAMESPACES),
      role: pick(...ROLES),
      sentence,
      notBefore: maybe(fc.integer({ min: 0, max: 3 })),
      expires: fc.integer({ min: 4, max: 9 }),
    })
    .map(({ notBefore, sentence: { from, to, on }, ...rest }) => ({
      name,
      reason: "why",
      permit: { sentence: { from, to, on } },
      ...rest,
      ...given("notBefore", notBefore),
    }));

const restriction: fc.Arbitrary<Restriction> = fc.record({
  name: fc.constant("q"),
  approval,
  effect: pick("quarantine" as const, "revoke" as const),
  reason: fc.constant("why"),
  target: fc.oneof(
    pick(...ROLES).map((name) => ({ by: "role" as const, name })),
    pick(...SEGMENTS).map((name) => ({ by: "segment" as const, name })),
    pick("w1", "w2").map((name) => ({ by: "pod" as const, name, namespace: "n1" })),
  ),
});

const arrays = <T>(of: (name: string) => fc.Arbitrary<T>, names: readonly string[]): fc.Arbitrary<readonly T[]> =>
  fc.tuple(...names.map(of)).chain((all) => fc.subarray(all));

/** Definitions of random catalogues: few names, so that all of them meet. */
export const definitions: fc.Arbitrary<Definitions> = fc.record({
  segments: fc.tuple(...SEGMENTS.map(segment)),
  roles: fc.tuple(...ROLES.map(role)),
  namespaces: fc.tuple(...NAMESPACES.map((name) => fc.boolean().map((enrolled) => ({ name, enrolled, labels: {} })))),
  exceptions: arrays(exception, ["e1", "e2"]),
  policies: arrays(policy, ["p1", "p2", "p3"]),
  guardrails: fc.array(guardrail, { maxLength: 1 }),
  externalWorkloads: fc.constant([]),
  restrictions: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.tuple(restriction) }),
});

/** The catalogue of the definitions. */
export const catalogueOf = (all: Definitions) => makeCatalogue(all, "test");

/** A workload that holds a role of the definitions, or none. */
export const workloadOf = (all: Definitions): fc.Arbitrary<WorkloadEnd> =>
  fc
    .record({
      namespace: pick(...NAMESPACES),
      role: maybe(pick(...ROLES)),
      name: pick("w1", "w2", "w3"),
      app: pick("a", "b"),
      inCanary: fc.boolean(),
      ports: fc.subarray([
        { name: "web", protocol: "tcp" as const, port: 80 },
        { name: "db", protocol: "tcp" as const, port: 81 },
        { name: "web", protocol: "udp" as const, port: 82 },
      ]),
    })
    .map(({ namespace, role: held, name, app, inCanary, ports }) => {
      const found = all.segments.find((one) => one.name === all.roles.find((each) => each.name === held)?.segment);
      return {
        kind: "workload",
        workloadKind: "Pod",
        object: { kind: "Pod", namespace, name },
        namespace,
        labels: { app },
        ports,
        inCanary: found?.mode === "canary" && inCanary,
        ...given("role", held),
        ...(held === undefined ? {} : given("segment", found?.name)),
        ...(held === undefined ? {} : given("environment", found?.environment)),
        ...(held === undefined ? {} : given("classification", found?.classification)),
      };
    });

const otherEnd: fc.Arbitrary<FlowEnd> = fc.oneof(
  fc
    .record({
      addresses: maybe(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }))),
      dnsNames: maybe(fc.subarray(["a.example", "b.example"])),
      identity: maybe(pick("spiffe://f/1", "spiffe://f/2")),
    })
    .map(
      ({ addresses, dnsNames, identity }): FlowEnd => ({
        kind: "outside",
        ...given(
          "addresses",
          addresses && {
            family: 4 as const,
            first: BigInt(Math.min(...addresses)),
            last: BigInt(Math.max(...addresses)),
          },
        ),
        ...given("dnsNames", dnsNames),
        ...given("identity", identity),
      }),
    ),
  fc.constant<FlowEnd>({ kind: "node", name: "k1" }),
);

const passage: fc.Arbitrary<Passage> = fc.oneof(
  fc.tuple(pick("tcp", "udp", "sctp"), pick(...PORTS)).map(([protocol, port]): Passage => ({ protocol, port })),
  fc
    .tuple(pick("icmp", "icmpv6"), maybe(pick(0, 8)))
    .map(([protocol, type]): Passage => ({ protocol, ...given("type", type) })),
);

/** Flows between a few ends of the definitions; at least one end of each is a workload. */
export const flowsOf = (all: Definitions): fc.Arbitrary<readonly Flow[]> =>
  fc
    .record({
      workloads: fc.tuple(workloadOf(all), workloadOf(all), workloadOf(all), workloadOf(all)),
      others: fc.tuple(otherEnd, otherEnd),
      passages: fc.tuple(passage, passage, passage),
    })
    .map(({ workloads, others, passages }) =>
      workloads.flatMap((from, index) =>
        [...workloads.slice(index + 1), ...others].flatMap((to) =>
          passages.flatMap((way) => [
            { from, to, passage: way },
            { from: to, to: from, passage: way },
          ]),
        ),
      ),
    );

/** An instant of the tests. */
export const instant = fc.integer({ min: 0, max: 9 });
