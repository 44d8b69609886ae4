import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeCatalogue } from "../../../src/domain/catalogue.ts";
import type { WorkloadEnd } from "../../../src/domain/flow.ts";
import { compile } from "../../../src/policy/compile/compile.ts";
import type { Site } from "../../../src/policy/compile/doors.ts";
import type { Rendered } from "../../../src/policy/compile/rendered.ts";
import { stampLabels } from "../../../src/policy/compile/stamped.ts";
import type { TargetName } from "../../../src/policy/compile/targets.ts";
import type { EffectiveEnd } from "../../../src/policy/effective/end.ts";
import { compileIntent } from "../../../src/policy/intent/intent.ts";
import { must } from "../../fakes/judging.ts";
import { naiveVerdict } from "../naive-intent.ts";
import { ciliumNaively, kubernetesNaively, type NaivePlane, type NaivePod, ztunnelNaively } from "./naive-planes.ts";
import { memberOf, POD_NETWORK, type SiteCase, siteCases } from "./random-site.ts";

const SITE: Site = { canaries: [], machines: [], pods: [], networks: [], podNetworks: POD_NETWORK };

/** Every role has an account of its own, and its holders the identity of that. */
const withAccounts = siteCases.map(({ world, members, now }): SiteCase => {
  const roles = world.roles.map((role) => ({ ...role, match: { ...role.match, serviceAccounts: [role.name] } }));
  const catalogue = makeCatalogue({ ...world, roles }, "test");
  return {
    world: { ...world, roles },
    catalogue,
    now,
    members: members.map(({ end }, index) => memberOf(withIdentity(end), index)),
  };
});

const withIdentity = (end: WorkloadEnd): WorkloadEnd =>
  end.role === undefined
    ? { ...end, identity: `spiffe://cluster.local/ns/${end.namespace}/sa/nobody` }
    : { ...end, identity: `spiffe://cluster.local/ns/${end.namespace}/sa/${end.role}` };

type Asked = readonly [protocol: "tcp" | "udp" | "icmp", port: number];
const ASKED: readonly Asked[] = [
  ...[1, 80, 81, 65535].map((port): Asked => ["tcp", port]),
  ...[80, 82].map((port): Asked => ["udp", port]),
  ["icmp", 0],
];

const naivePod = (catalogue: SiteCase["catalogue"], { end }: EffectiveEnd<WorkloadEnd>, index: number): NaivePod => ({
  namespace: end.namespace,
  name: `p${index}`,
  labels: { ...end.labels, ...stampLabels(catalogue, end) },
  ports: end.ports.map(({ name, port, protocol }) => ({ name, containerPort: port, protocol: protocol.toUpperCase() })),
  ip: `10.0.0.${index + 1}`,
  ...(end.identity === undefined ? {} : { identity: end.identity }),
});

type Row = {
  readonly targets: readonly TargetName[];
  readonly kinds: readonly ("kubernetes" | "cilium" | "ztunnel")[];
};

const ROWS: readonly Row[] = [
  { targets: ["networkpolicy"], kinds: ["kubernetes"] },
  { targets: ["networkpolicy", "clusternetworkpolicy"], kinds: ["kubernetes"] },
  { targets: ["networkpolicy", "adminnetworkpolicy", "baselineadminnetworkpolicy"], kinds: ["kubernetes"] },
  { targets: ["clusternetworkpolicy"], kinds: ["kubernetes"] },
  { targets: ["ciliumnetworkpolicy"], kinds: ["cilium"] },
  { targets: ["networkpolicy", "clusternetworkpolicy", "istio-ztunnel"], kinds: ["kubernetes", "ztunnel"] },
  { targets: ["istio-ztunnel"], kinds: ["ztunnel"] },
];

type Spoil = (objects: readonly Rendered[]) => readonly Rendered[];

/** What the targets let through beyond the intent, and what they stop of it, by readings that share nothing with the product. */
function found({ world, catalogue, members, now }: SiteCase, { targets, kinds }: Row, spoil: Spoil = (all) => all) {
  const compiled = must(compile({ intent: compileIntent(catalogue), site: SITE, targets, foreign: [], members, now }));
  const of = (...names: readonly TargetName[]) => names.flatMap((name) => spoil(compiled.compiled.get(name) ?? []));
  const pods = members.map((member, index) => naivePod(catalogue, member, index));
  const planes: readonly NaivePlane[] = kinds.map((kind) => {
    if (kind === "cilium") return ciliumNaively(of("ciliumnetworkpolicy"));
    if (kind === "ztunnel") return ztunnelNaively(of("istio-ztunnel"));
    return kubernetesNaively(
      of("networkpolicy", "clusternetworkpolicy", "adminnetworkpolicy", "baselineadminnetworkpolicy"),
      pods,
    );
  });
  const wider: string[] = [];
  const narrower: string[] = [];
  for (const [source, from] of pods.entries())
    for (const [destination, to] of pods.entries())
      for (const [protocol, port] of source === destination ? [] : ASKED) {
        const ends = [members[source]?.end, members[destination]?.end] as const;
        if (!ends[0] || !ends[1]) continue;
        const passage = protocol === "icmp" ? { protocol, type: 8 } : { protocol, port };
        const want = naiveVerdict(world, { from: ends[0], to: ends[1], passage }, now);
        const have = planes.every((plane) => plane(from, to, protocol.toUpperCase(), port));
        if (have && !want) wider.push(`${source} -> ${destination} ${protocol}/${port}`);
        if (want && !have) narrower.push(`${source} -> ${destination} ${protocol}/${port}`);
      }
  return { ...compiled, wider, narrower };
}

/** Nothing is let through that is not meant, and nothing stopped that is meant, unless the compiler says so. */
const isAsSaid = (row: Row, spoil?: Spoil) =>
  fc.property(withAccounts, (one) => {
    const { wider, narrower, widening, losses } = found(one, row, spoil);
    if (widening.length === 0) expect(wider).toEqual([]);
    if (!losses.some(({ effect }) => effect === "narrower")) expect(narrower).toEqual([]);
  });

describe.each(ROWS)("$targets, read by somebody else", { timeout: 60_000 }, (row) => {
  test("lets through what is meant, or says in what it differs", () => {
    fc.assert(isAsSaid(row), { numRuns: 25 });
  });

  test("is found out when some of it gets lost", () => {
    const lost: Spoil = (objects) => objects.filter((_object, index) => index % 2 === 1);
    expect(fc.check(isAsSaid(row, lost), { numRuns: 400, seed: 3, endOnFailure: true }).failed).toBe(true);
  });
});
