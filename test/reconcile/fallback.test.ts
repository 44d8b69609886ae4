import { beforeEach, describe, expect, test } from "vitest";
import { makeCatalogue } from "../../src/domain/catalogue.ts";
import { FallbackWatch, type SegmentCounts } from "../../src/reconcile/stages/fallback.ts";
import { ApprovalStore } from "../fakes/approval-store.ts";
import { SIGNET } from "../fakes/approval-rules.ts";
import { NOON } from "../fakes/judging.ts";

const MINUTE_MS = 60_000;
const segment = (spec: string) =>
  `{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web], ${spec}}}`;
const counts = (pass: number, warn: number, fail: number): ReadonlyMap<string, SegmentCounts> =>
  new Map([["shop", { pass, warn, fail }]]);
const BAD = counts(2, 0, 3);

let store: ApprovalStore;
let watch: FallbackWatch;

const approve = (at: number) => {
  store.approve("bob", "Segment", "shop");
  store.reconcile(at);
};
const look = (now: number, found = BAD) => {
  const actions = watch.decide(store.snapshot().definitions.segments, found, now);
  for (const { segment: name, patch } of actions) store.patchStatus(SIGNET, "Segment", name, patch);
  store.reconcile(now);
  return actions.map(({ why }) => why);
};
const mode = () => makeCatalogue(store.snapshot().definitions, "").segments.get("shop")?.mode;

beforeEach(() => {
  store = new ApprovalStore();
  watch = new FallbackWatch();
  store.apply(
    "installer",
    "{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}",
  );
  store.reconcile(NOON);
  store.apply("alice", segment("mode: enforce, fallback: observe"));
  approve(NOON);
});

test("a segment of which more than half would not start again falls back after a minute, and says so", () => {
  expect([look(NOON), look(NOON + MINUTE_MS - 1), mode()]).toEqual([[], [], "enforce"]);
  expect(look(NOON + MINUTE_MS)).toEqual(["3 of 5 workloads would not start again in mode enforce."]);
  expect(mode()).toBe("observe");
  expect(store.get("Segment", "shop").status.conditions.find(({ type }) => type === "FellBack")?.message).toBe(
    "It observes instead of enforce since 2026-11-23T12:01:00Z: 3 of 5 workloads would not start again in mode enforce. Approve another generation to end this.",
  );
  expect(look(NOON + 5 * MINUTE_MS)).toEqual([]);
});

test("another generation that comes into force ends it", () => {
  look(NOON);
  look(NOON + MINUTE_MS);
  store.apply("alice", segment("mode: enforce, fallback: observe, owner: web"));
  expect(mode()).toBe("observe");
  approve(NOON + 2 * MINUTE_MS);
  expect(mode()).toBe("enforce");
  expect(store.conditions("Segment", "shop").some((one) => one.startsWith("FellBack"))).toBe(false);
});

test("what gets better within the minute starts anew", () => {
  look(NOON);
  look(NOON + MINUTE_MS / 2, counts(5, 0, 1));
  look(NOON + MINUTE_MS);
  expect(mode()).toBe("enforce");
});

const KEPT: readonly (readonly [string, string, ReadonlyMap<string, SegmentCounts>])[] = [
  ["whose spec does not say so", "mode: enforce", BAD],
  ["that observes already", "mode: observe, fallback: observe", BAD],
  ["of which half would start", "mode: enforce, fallback: observe", counts(2, 1, 3)],
  ["of too few workloads to tell", "mode: enforce, fallback: observe", counts(0, 0, 3)],
  ["of which nothing runs", "mode: enforce, fallback: observe", new Map()],
];

describe("no segment falls back", () => {
  test.each(KEPT)("%s", (_name, spec, found) => {
    store.apply("alice", segment(`${spec}, owner: x`));
    approve(NOON);
    expect([NOON, NOON + MINUTE_MS, NOON + 2 * MINUTE_MS].flatMap((now) => look(now, found))).toEqual([]);
  });

  test("by a status that somebody wrote where the approved spec does not allow it", () => {
    store.apply("alice", segment("mode: enforce"));
    approve(NOON);
    store.tamper("Segment", "shop", (one) => ({
      ...one,
      status: { ...one.status, fallback: { mode: "observe", since: "2026-12-01T00:00:00Z", why: "w" } },
    }));
    expect(mode()).toBe("enforce");
  });
});
