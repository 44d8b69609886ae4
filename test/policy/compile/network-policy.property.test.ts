import fc from "fast-check";
import { expect, test } from "vitest";
import type { Definitions } from "../../../src/domain/catalogue.ts";
import type { Sentence } from "../../../src/domain/sentences.ts";
import { compile } from "../../../src/policy/compile/compile.ts";
import { doorsOf, type Site } from "../../../src/policy/compile/doors.ts";
import { fieldOf } from "../../../src/policy/compile/field.ts";
import { networkPolicies } from "../../../src/policy/compile/network-policy.ts";
import type { Rendered } from "../../../src/policy/compile/rendered.ts";
import { load } from "../../../src/policy/compile/targets.ts";
import { compileIntent } from "../../../src/policy/intent/intent.ts";
import { enclosureOf } from "../../../src/policy/intent/pair.ts";
import { PORT_PASSAGES, passagesText } from "../../../src/policy/intent/passages.ts";
import { intersect } from "../../../src/policy/sets/intervals.ts";
import { must, NOON } from "../../fakes/judging.ts";
import { differing, type DifferingPair } from "./compared.ts";
import { estate, estateMembers, PARTS } from "./estate.ts";
import { POD_NETWORK, type SiteCase, siteCases } from "./random-site.ts";

/** A quarantine of one Pod has no form here: its label would have to be written first. */
const ofRoles = siteCases.filter(({ world }) => world.restrictions.every(({ target }) => target.by !== "pod"));

const SITE: Site = { canaries: [], machines: [], pods: [], networks: [], podNetworks: POD_NETWORK };

/** Compiles what `written` says and judges it by what the case means. */
function judged(
  { catalogue, members, now }: Omit<SiteCase, "world">,
  written: SiteCase["catalogue"] = catalogue,
  spoil: (objects: readonly Rendered[]) => readonly Rendered[] = (objects) => objects,
): readonly DifferingPair[] {
  const intent = compileIntent(catalogue);
  const objects = spoil(networkPolicies(doorsOf(compileIntent(written), SITE, now)));
  const { planes, policies } = must(load(new Map([["networkpolicy", objects]]), []));
  return differing(
    intent,
    planes.map(({ plane }) => plane),
    fieldOf(doorsOf(intent, SITE, now), SITE, members, policies),
    now,
  );
}

test("NetworkPolicies let nobody through a door in force whom the sentences do not mean, on any port", () => {
  fc.assert(
    fc.property(ofRoles, (one) => {
      const intent = compileIntent(one.catalogue);
      const closed = judged(one).filter(
        ({ from, to, wider }) =>
          intersect(wider, PORT_PASSAGES).length > 0 &&
          [from, to].some(({ first }) => enclosureOf(intent, first.end) !== undefined),
      );
      expect(closed).toEqual([]);
    }),
    { numRuns: 120 },
  );
});

/** Denials whose meaning depends on names: what they may mean is taken out of what is allowed. */
const isVague = ({ from, to, on }: Sentence): boolean =>
  on.some((spec) => "portName" in spec) ||
  [from, to].some(
    (peer) =>
      peer.by === "fqdn" || peer.by === "externalIdentity" || (peer.by === "namespace" && peer.podLabels.length > 0),
  );

const isPlain = ({ guardrails }: Definitions): boolean => !guardrails.some(({ deny }) => deny.some(isVague));

test("where no denial is vague, NetworkPolicies lose only names, foreign identities and ICMP", () => {
  fc.assert(
    fc.property(
      siteCases.filter(({ world }) => isPlain(world)),
      ({ catalogue, members, now }) => {
        const intent = compileIntent(catalogue);
        const { losses } = must(compile({ intent, site: SITE, targets: ["networkpolicy"], foreign: [], members, now }));
        const lost = losses.filter(({ effect }) => effect === "narrower").map(({ code }) => code);
        const known = ["FQDN_AS_IP", "IDENTITY_AS_IP", "PROTOCOL_UNSUPPORTED"];
        expect(lost.filter((code) => !known.includes(code))).toEqual([]);
      },
    ),
    { numRuns: 120 },
  );
});

/** The estate, judged by what it means; compiled from what `written` says. */
const estateJudged = (
  written: Parameters<typeof estate>[0],
  spoil?: (objects: readonly Rendered[]) => readonly Rendered[],
) => {
  const catalogue = estate();
  const one = { catalogue, members: estateMembers(catalogue), now: NOON };
  return judged(one, estate(written), spoil)
    .filter(({ from, to }) => from.first.endpoint.kind !== "outside" && to.first.endpoint.kind !== "outside")
    .map(({ from, to, wider, narrower }) => {
      const pair = `${nameOf(from)} -> ${nameOf(to)}`;
      return wider.length > 0 ? `${pair} gains ${passagesText(wider)}` : `${pair} loses ${passagesText(narrower)}`;
    });
};

const nameOf = ({ first }: DifferingPair["from"]): string =>
  first.endpoint.kind === "workload" ? first.endpoint.name.name.replace(/-0$/, "") : "";

test("the estate's NetworkPolicies mean exactly what its lines mean between workloads that something encloses", () => {
  expect(estateJudged({}).filter((text) => !text.includes("8085"))).toEqual([]);
});

test.each([
  [
    "fences",
    { guardrails: PARTS.guardrails.map((text) => text.replace("fences: [environment]", "fences: []")) },
    "trial -> web gains tcp/8080-8084,8086-8090",
  ],
  [
    "a denial",
    { guardrails: PARTS.guardrails.map((text) => text.replace("role: batch", "role: db")) },
    "batch -> cache gains tcp/6379",
  ],
  [
    "the ports of a denial",
    { guardrails: PARTS.guardrails.map((text) => text.replace("tcp/8085", "tcp/8084")) },
    "db -> web gains tcp/8085",
  ],
  ["an exception", { exceptions: [] }, "trial -> db loses tcp/5433"],
  ["a sentence", { sentences: PARTS.sentences.slice(1) }, "web -> db loses tcp/5432"],
  [
    "a mode",
    { segments: PARTS.segments.map((text) => text.replace("mode: enforce", "mode: simulate")) },
    "db -> cache gains everything",
  ],
] as const)("the comparison bites: forgetting %s is found", (_what, written, found) => {
  expect(estateJudged(written)).toContain(found);
});

test("a label peer always names the entitled namespaces too", () => {
  const catalogue = estate();
  const text = JSON.stringify(networkPolicies(doorsOf(compileIntent(catalogue), SITE, NOON)));
  const labelled = [
    ...text.matchAll(/\{"namespaceSelector":(\{[^{}]*(?:\{[^{}]*\})?[^{}]*\}),"podSelector":\{"matchLabels"/g),
  ];
  expect(labelled.length).toBeGreaterThan(5);
  expect(labelled.filter((match) => !match[1]?.includes("kubernetes.io/metadata.name"))).toEqual([]);
});

test("the comparison bites: an object that got lost is found", () => {
  expect(estateJudged({}, (objects) => objects.slice(1)).length).toBeGreaterThan(0);
});
