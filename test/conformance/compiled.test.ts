import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Catalogue } from "../../src/domain/catalogue.ts";
import type { WorkloadEnd } from "../../src/domain/flow.ts";
import type { PortSpec } from "../../src/domain/sentences.ts";
import { scenesOf } from "../../src/policy/analysis/scene.ts";
import { doorsOf, type Site } from "../../src/policy/compile/doors.ts";
import { importPolicies } from "../../src/policy/compile/import.ts";
import { admittedBy } from "../../src/policy/compile/plane.ts";
import { differing } from "../policy/compile/compared.ts";
import { specsOf } from "../../src/policy/compile/ports.ts";
import type { Rendered } from "../../src/policy/compile/rendered.ts";
import { stamped } from "../../src/policy/compile/stamped.ts";
import { load, type TargetName, TARGETS } from "../../src/policy/compile/targets.ts";
import { type EffectiveEnd, namedPorts } from "../../src/policy/effective/end.ts";
import { compileIntent } from "../../src/policy/intent/intent.ts";
import { EVERY_PASSAGE, passageKey, passagesOfAll, PORT_PASSAGES } from "../../src/policy/intent/passages.ts";
import { type ProbeTest, readExpectations } from "../../src/policy/probe/expectations.ts";
import { type ProbeQuestion, probeQuestions, type ProbeState } from "../../src/policy/probe/run.ts";
import { NO_ADDRESSES } from "../../src/policy/sets/address-set.ts";
import { holds, intersect, sameSet, subtract, unite } from "../../src/policy/sets/intervals.ts";
import { readDocuments } from "../../src/wire/documents.ts";
import { catalogueOf, must, NOON } from "../fakes/judging.ts";

const ROOT = join(import.meta.dirname, "data/cluster-network-policy");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const EXPECTATIONS = must(readExpectations(JSON.parse(read("expectations.json"))));
const READ = { multipleNetworks: false, parseYaml: () => undefined };
const SITE: Site = {
  canaries: [],
  machines: [],
  pods: [],
  networks: [],
  podNetworks: { v4: [0x0a000000, 0x0b000000], v6: [] },
};

const PLACE = "network-policy-conformance-";
/** The houses, each with its Pods; those of the forest are on the host network, where policies of Pods do not act. */
const HOUSES = {
  gryffindor: "harry-potter",
  slytherin: "draco-malfoy",
  hufflepuff: "cedric-diggory",
  ravenclaw: "luna-lovegood",
} as const;
const isHost = (pod: string): boolean => pod.startsWith(`${PLACE}forbidden-forrest/`);

/** Every house a segment, every Pod a role of its own: upstream's policies tell some Pods of one house apart. */
const houses = (mode: "enforce" | "observe"): readonly string[] =>
  Object.entries(HOUSES).flatMap(([house, pod]) => [
    `{apiVersion: v1, kind: Namespace, metadata: {name: ${PLACE}${house}, labels: {signet.dev/enrol: "true"}}}`,
    `{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: ${house}}, spec: {policyApproval: none, namespaces: [${PLACE}${house}], mode: ${mode}}}`,
    ...[0, 1].map(
      (index) =>
        `{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: ${pod}-${index}}, spec: {segment: ${house}, match: {serviceAccounts: [default], podLabels: {matchLabels: {statefulset.kubernetes.io/pod-name: ${pod}-${index}}}}}}`,
    ),
  ]);

/** One line between two Pods, in words of ours. */
type Said = { readonly from: string; readonly to: string; readonly on: readonly PortSpec[] };

const lineText = ({ from, to, on }: Said): string =>
  `{from: {role: ${from}}, to: {role: ${to}}, 'on': [${on.map(portText).join(", ")}], why: upstream}`;

function portText(spec: PortSpec): string {
  if ("first" in spec) return `${spec.protocol}/${spec.first}-${spec.last}`;
  return spec.protocol;
}

const houseOf = (pod: string): string =>
  Object.entries(HOUSES).find(([, name]) => pod.startsWith(name))?.[0] ?? "no house";

/** What is open, each line a sentence of its destination's house; all houses enclosed. */
const asSentences = (open: readonly Said[]): Catalogue =>
  catalogueOf(
    [
      ...houses("enforce"),
      ...Object.keys(HOUSES).map(
        (house) =>
          `{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: p, namespace: ${PLACE}${house}}, spec: {segment: ${house}, allow: [${open
            .filter(({ to }) => houseOf(to) === house)
            .map(lineText)
            .join(", ")}]}}`,
      ),
    ].join("\n---\n"),
  );

/** What is not open, as denials of a guardrail; nothing is enclosed. */
const asDenials = (open: readonly Said[]): Catalogue => {
  const pods = Object.values(HOUSES).flatMap((pod) => [`${pod}-0`, `${pod}-1`]);
  const closed = pods.flatMap((from) =>
    pods
      .filter((to) => to !== from)
      .map((to): Said => {
        const said = open.filter((one) => one.from === from && one.to === to).flatMap(({ on }) => on);
        const rest = subtract(EVERY_PASSAGE, passagesOfAll(said, { kind: "outside" }));
        // Messages of ICMP alone cannot be denied: where some ports are open they are left alone.
        return { from, to, on: specsOf(sameSet(rest, EVERY_PASSAGE) ? rest : intersect(rest, PORT_PASSAGES)) };
      })
      .filter(({ on }) => on.length > 0),
  );
  return catalogueOf(
    [
      ...houses("observe"),
      `{apiVersion: signet.dev/v1alpha1, kind: Guardrail, metadata: {name: upstream}, spec: {deny: [${closed.map(lineText).join(", ")}]}}`,
    ].join("\n---\n"),
  );
};

/** The Pods that policies act on, in a state of the suite; each holds the role of its name. */
const membersIn = ({ world }: ProbeState): readonly EffectiveEnd<WorkloadEnd>[] =>
  scenesOf(world, "pod")
    .flatMap(({ members }) => members)
    .filter(({ endpoint: { name } }) => !isHost(`${name.namespace}/${name.name}`))
    .map(({ endpoint }) => {
      const { namespace, name } = endpoint.name;
      const end: WorkloadEnd = {
        kind: "workload",
        workloadKind: "Pod",
        object: { kind: "Pod", namespace, name },
        namespace,
        labels: endpoint.traits.labels,
        ports: namedPorts(endpoint.traits.ports),
        inCanary: false,
        role: name,
        segment: houseOf(name),
      };
      return { end, endpoint };
    });

/** A state of the suite with what upstream's policies mean in it, in both ways, and the questions that are asked of it. */
type Asked = {
  readonly members: readonly EffectiveEnd<WorkloadEnd>[];
  readonly sentences: Catalogue;
  readonly denials: Catalogue;
  readonly questions: readonly ProbeQuestion[];
};

const ANYTHING = compileIntent(asSentences([]));

/** The states of one test of the suite, in their order. */
function statesOf({ manifests, ...test }: ProbeTest): readonly Asked[] {
  const objects = [...EXPECTATIONS.baseManifests, ...manifests].flatMap((path) =>
    must(readDocuments(read(path), path)),
  );
  const questions = must(probeQuestions(objects, { ...test, manifests }, READ)).filter(
    ({ poke }) => !isHost(poke.from) && !isHost(poke.to),
  );
  return [...Map.groupBy(questions, ({ state }) => state)].map(([state, asked]) => {
    const members = membersIn(state);
    const policies = importPolicies(ANYTHING, state.world.policies, members);
    const open = policies.flatMap(({ sentences }) => sentences);
    return { members, sentences: asSentences(open), denials: asDenials(open), questions: asked };
  });
}

const STATES = EXPECTATIONS.tests.map((one) => ({ name: one.name, states: statesOf(one) }));

type Spoil = (objects: readonly Rendered[]) => readonly Rendered[];

/** What goes otherwise than upstream expects, or than was meant, where targets are compiled from what its policies mean. */
function wrong({ members, questions, ...said }: Asked, { say, targets }: Row, spoil: Spoil = (all) => all) {
  const catalogue = said[say];
  const intent = compileIntent(catalogue);
  const doors = doorsOf(intent, SITE, NOON);
  const compiled = new Map(targets.map((target) => [target, spoil(TARGETS[target].compile(doors))] as const));
  const planes = must(load(compiled, [])).planes.map(({ plane }) => plane);
  const workloads = members.map((member) => stamped(intent, NO_ADDRESSES, member));
  const ends = new Map(workloads.map((one) => [`${one.end.namespace}/${one.end.object.name}`, one]));
  const probes = questions.filter(({ poke: { from, to, port, expect: wanted } }) => {
    const [source, destination] = [ends.get(from), ends.get(to)];
    if (!source || !destination) throw new Error(`${from} -> ${to}`);
    const key = passageKey({ protocol: lower(port.protocol), port: port.port });
    return holds(admittedBy(planes, source, destination), key) !== wanted;
  });
  const pairs = differing(intent, planes, { workloads, sources: [], destinations: [] }, NOON);
  // Messages of ICMP pass where ports are denied, and have no form beside ports that are allowed.
  const ports = pairs.map(({ wider, narrower }) => intersect(unite(wider, narrower), PORT_PASSAGES));
  return { probes, differences: ports.filter((set) => set.length > 0) };
}

const lower = (protocol: string) =>
  (["tcp", "udp", "sctp"] as const).find((one) => one === protocol.toLowerCase()) ?? "tcp";

type Row = { readonly what: string; readonly say: "sentences" | "denials"; readonly targets: readonly TargetName[] };

const ROWS: readonly Row[] = [
  { what: "denials as ClusterNetworkPolicies", say: "denials", targets: ["clusternetworkpolicy"] },
  { what: "denials as AdminNetworkPolicies", say: "denials", targets: ["adminnetworkpolicy"] },
  { what: "denials for Cilium", say: "denials", targets: ["ciliumnetworkpolicy"] },
  {
    what: "sentences as NetworkPolicies above a ClusterNetworkPolicy",
    say: "sentences",
    targets: ["networkpolicy", "clusternetworkpolicy"],
  },
  {
    what: "sentences as NetworkPolicies above a BaselineAdminNetworkPolicy",
    say: "sentences",
    targets: ["networkpolicy", "baselineadminnetworkpolicy"],
  },
  { what: "sentences for Cilium", say: "sentences", targets: ["ciliumnetworkpolicy"] },
];

describe.each(ROWS)("what upstream's policies mean, compiled from $what", (row) => {
  test.each(STATES)("answers the probes of $name as upstream expects, and means nothing else", ({ states }) => {
    expect(states.map((state) => wrong(state, row))).toEqual(states.map(() => ({ probes: [], differences: [] })));
  });

  test("is found out when half of it gets lost", () => {
    const lost: Spoil = (all) => all.slice(all.length / 2);
    expect(STATES.some(({ states }) => states.some((one) => wrong(one, row, lost).probes.length > 0))).toBe(true);
  });
});

test("no probe is left out but those of Pods on the host network", () => {
  const pokes = EXPECTATIONS.tests
    .flatMap(({ steps }) => steps.flatMap(({ actions }) => actions))
    .filter((action) => action.kind === "poke" && !isHost(action.from) && !isHost(action.to));
  const asked = STATES.flatMap(({ states }) => states.flatMap(({ questions }) => questions));
  expect([asked.length, asked.length]).toEqual([pokes.length, 198]);
});
