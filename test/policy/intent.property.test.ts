import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Definitions } from "../../src/domain/catalogue.ts";
import type { Flow, FlowEnd } from "../../src/domain/flow.ts";
import { compileIntent } from "../../src/policy/intent/intent.ts";
import { passageKey } from "../../src/policy/intent/passages.ts";
import { openPassages, sliceIntent } from "../../src/policy/intent/slices.ts";
import { verdictOn } from "../../src/policy/intent/verdict.ts";
import { holds } from "../../src/policy/sets/intervals.ts";
import { naiveVerdict } from "./naive-intent.ts";
import { catalogueOf, definitions, flowsOf, instant } from "./random-intent.ts";

type Case = { readonly world: Definitions; readonly flows: readonly Flow[]; readonly now: number };

const cases: fc.Arbitrary<Case> = definitions.chain((world) =>
  fc.record({ world: fc.constant(world), flows: flowsOf(world), now: instant }),
);

/** What somebody says of each flow of a case. */
type Judge = (one: Case) => readonly boolean[];

const engine: Judge = ({ world, flows, now }) => {
  const intent = compileIntent(catalogueOf(world));
  return flows.map((flow) => verdictOn(intent, flow, now).allowed);
};
const naive: Judge = ({ world, flows, now }) => flows.map((flow) => naiveVerdict(world, flow, now));

test("the engine says of every flow what the rules of meaning say", () => {
  fc.assert(
    fc.property(cases, (one) => {
      expect(engine(one)).toEqual(naive(one));
    }),
    { numRuns: 400 },
  );
});

/** A judge that is asked about another world than it should be. */
const inWorld =
  (change: (world: Definitions) => Partial<Definitions>): Judge =>
  (one) =>
    engine({ ...one, world: { ...one.world, ...change(one.world) } });

const inFlows =
  (change: (flow: Flow) => Flow): Judge =>
  (one) =>
    engine({ ...one, flows: one.flows.map(change) });

const known = (end: FlowEnd): FlowEnd =>
  end.kind === "outside" ? { ...end, dnsNames: end.dnsNames ?? [], identity: end.identity ?? "" } : end;

const UNCHECKED = { state: "unchecked" } as const;

/** Faults as somebody may plant them. */
const FAULTS: Readonly<Record<string, Judge>> = {
  "fences are forgotten": inWorld(({ guardrails }) => ({
    guardrails: guardrails.map((each) => ({ ...each, fences: [] })),
  })),
  "denials are forgotten": inWorld(({ guardrails }) => ({
    guardrails: guardrails.map((each) => ({ ...each, deny: [] })),
  })),
  "exceptions are forgotten": inWorld(() => ({ exceptions: [] })),
  "quarantines are forgotten": inWorld(() => ({ restrictions: [] })),
  "time stands still": (one) => engine({ ...one, now: 4 }),
  "approval is taken for granted": inWorld(({ policies }) => ({
    policies: policies.map((each) => ({ ...each, approval: UNCHECKED })),
  })),
  "anybody may write": inWorld(({ guardrails, policies }) => ({
    guardrails: [
      ...guardrails,
      {
        name: "h",
        approval: UNCHECKED,
        fences: [],
        deny: [],
        allow: policies.filter((each) => each.approval.state !== "missing").flatMap((each) => each.allow),
      },
    ],
  })),
  "enrolment is forgotten": inWorld(({ namespaces }) => ({
    namespaces: namespaces.map((each) => ({ ...each, enrolled: false })),
  })),
  "canaries are forgotten": inWorld(({ segments }) => ({
    segments: segments.map((each) => ({ ...each, mode: each.mode === "canary" ? "observe" : each.mode })),
  })),
  "intra is forgotten": inWorld(({ segments }) => ({ segments: segments.map((each) => ({ ...each, intra: "deny" })) })),
  "named ports mean nothing": inFlows((flow) =>
    flow.to.kind === "workload" ? { ...flow, to: { ...flow.to, ports: [] } } : flow,
  ),
  "ends are exchanged": inFlows((flow) => ({ ...flow, from: flow.to, to: flow.from })),
  "what is not known is nobody's": inFlows((flow) => ({ ...flow, from: known(flow.from), to: known(flow.to) })),
};

/** Whether a judge agrees with the rules as they are told. */
const agrees = (judge: Judge): boolean =>
  !fc.check(
    fc.property(cases, (one) => isDeepStrictEqual(judge(one), naive(one))),
    { numRuns: 4000, seed: 7, endOnFailure: true },
  ).failed;

describe("the comparison bites: a fault is found where", () => {
  for (const [fault, judge] of Object.entries(FAULTS)) test(fault, () => expect(agrees(judge)).toBe(false));
});

test("all ports cut into slices say what single verdicts say", () => {
  fc.assert(
    fc.property(cases, ({ world, flows, now }) => {
      const intent = compileIntent(catalogueOf(world));
      for (const flow of flows) {
        if (!("port" in flow.passage) && flow.passage.type === undefined) continue;
        const open = openPassages(sliceIntent(intent, flow.from, flow.to, now));
        expect(holds(open, passageKey(flow.passage))).toBe(verdictOn(intent, flow, now).allowed);
      }
    }),
    { numRuns: 60 },
  );
});

describe("a change has one direction", () => {
  /** No flow is open in the first that is closed in the second. */
  const within = (narrow: Case, wide: Case): void => {
    const opened = engine(wide);
    expect(engine(narrow).filter((open, index) => open && !opened[index])).toEqual([]);
  };
  const both = fc.tuple(cases, definitions);
  const changed = (one: Case, world: Partial<Definitions>): Case => ({ ...one, world: { ...one.world, ...world } });
  const property = (arbitrary: typeof both, check: (one: Case, other: Definitions) => void): void =>
    fc.assert(
      fc.property(arbitrary, ([one, other]) => check(one, other)),
      { numRuns: 150 },
    );

  test("a sentence more never closes anything", () =>
    property(both, (one, { policies }) =>
      within(one, changed(one, { policies: [...one.world.policies, ...policies] })),
    ));

  test("a denial or fence more never opens anything", () =>
    property(both, (one, { guardrails }) => {
      const stricter = guardrails.map((each) => ({ ...each, name: "more", allow: [] }));
      within(changed(one, { guardrails: [...one.world.guardrails, ...stricter] }), one);
    }));

  test("enforcing a segment never opens anything", () =>
    property(both, (one) => {
      const all = (mode: "observe" | "enforce") => one.world.segments.map((each) => ({ ...each, mode }));
      within(changed(one, { segments: all("enforce") }), changed(one, { segments: all("observe") }));
    }));

  test("a line that has ended is as if it had never been written", () =>
    property(both, (one) => {
      const running = <T extends { readonly expires?: number }>(lines: readonly T[]): readonly T[] =>
        lines.filter(({ expires }) => expires === undefined || expires > one.now);
      const { exceptions, policies } = one.world;
      const without = changed(one, {
        exceptions: running(exceptions),
        policies: policies.map((each) => ({ ...each, allow: running(each.allow) })),
      });
      expect(engine(one)).toEqual(engine(without));
    }));
});
