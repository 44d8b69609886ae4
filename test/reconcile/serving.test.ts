import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  nextServingStep,
  type ServingState,
  type ServingTerms,
  type ServingView,
} from "../../src/reconcile/serving.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TERMS = { leafMs: DAY, settleMs: 30_000, takeOverMs: 10_000 };
const OLD = { id: "old", notBefore: 0, notAfter: 100 * DAY };
const NEW = { id: "new", notBefore: 50 * DAY, notAfter: 150 * DAY };
const AT = 50 * DAY;

const view = (
  state: ServingState | undefined,
  published: readonly (readonly string[])[],
  now: number,
  asked = false,
): ServingView => ({
  ...(state ? { state } : {}),
  published,
  asked,
  now,
  terms: TERMS,
});

const one: ServingState = { authorities: [OLD], signer: "old" };
const two: ServingState = { authorities: [OLD, NEW], signer: "old" };
const switched: ServingState = { ...two, signer: "new", publishedAt: AT, switchedAt: AT };
const BOTH = [
  ["old", "new"],
  ["old", "new"],
];

describe("the next step of the serving authority", () => {
  const rows: readonly (readonly [string, ServingView, object])[] = [
    ["without any authority one is made", view(undefined, [], 0), { do: "found" }],
    [
      "an entry without a bundle gets it",
      view(one, [["old"], []], DAY),
      { do: "publish", bundle: ["old"], again: false },
    ],
    ["an entry with a foreign bundle gets ours", view(one, [["unknown"]], DAY), { do: "publish", bundle: ["old"] }],
    ["young and published, it waits for half its life", view(one, [["old"]], DAY), { do: "wait", until: 50 * DAY }],
    ["at half its life the next one is prepared", view(one, [["old"]], AT), { do: "prepare" }],
    ["asked for, the next one is prepared at once", view(one, [["old"]], DAY, true), { do: "prepare" }],
    ["asked for during a rollover, nothing is prepared twice", view(two, BOTH, AT, true), { do: "settle" }],
    ["both are published", view(two, [["old"], ["old", "new"]], AT), { do: "publish", bundle: ["old", "new"] }],
    ["both seen published, the time is noted", view(two, BOTH, AT), { do: "settle" }],
    [
      "until every API server has seen it, nothing happens",
      view({ ...two, publishedAt: AT }, BOTH, AT + 29_999),
      { do: "wait", until: AT + 30_000 },
    ],
    ["then leaves switch", view({ ...two, publishedAt: AT }, BOTH, AT + 30_000), { do: "switch", to: "new" }],
    [
      "a bundle that somebody overwrote while it settles starts the time again",
      view({ ...two, publishedAt: AT }, [["old"]], AT + 30_000),
      { do: "publish", again: true },
    ],
    [
      "after the switch each replica has time to take over",
      view(switched, BOTH, AT + 9_999),
      { do: "wait", until: AT + 10_000 },
    ],
    ["then calls must be trusted", view(switched, BOTH, AT + 10_000), { do: "prove", last: false }],
    ["or it is given up in the end", view(switched, BOTH, AT + 40_000), { do: "prove", last: true }],
    ["until they were, the old one never goes", view(switched, BOTH, AT + 2 * DAY), { do: "prove" }],
    [
      "one that was given up is not tried again before a leaf's life",
      view({ ...one, abandonedAt: AT }, [["old"]], AT + DAY - 1),
      { do: "wait", until: AT + DAY },
    ],
    ["then it is", view({ ...one, abandonedAt: AT }, [["old"]], AT + DAY), { do: "prepare" }],
    ["or when somebody asks", view({ ...one, abandonedAt: AT }, [["old"]], AT + 1, true), { do: "prepare" }],
    [
      "once they were, the old one stays for its last leaf",
      view({ ...switched, provenAt: AT }, BOTH, AT + DAY),
      { do: "wait", until: AT + DAY + 300_000 },
    ],
    [
      "then it is dropped",
      view({ ...switched, provenAt: AT }, BOTH, AT + DAY + 300_000),
      { do: "drop", authority: "old" },
    ],
  ];
  test.each(rows)("%s", (_, given, expected) => {
    expect(nextServingStep(given)).toMatchObject(expected);
  });
});

/** What a world of replicas and API servers looks like while steps are done, lost, or done twice. */
type World = {
  state: ServingState | undefined;
  entries: string[][];
  seen: { at: number; bundle: string[] }[];
  made: number;
};

function perform(world: World, now: number, crashed: boolean, terms: ServingTerms): void {
  const step = nextServingStep({ ...view(world.state, world.entries, now), terms });
  const { state } = world;
  const fresh = () => ({ id: `ca-${world.made++}`, notBefore: now, notAfter: now + 100 * DAY });
  if (step.do === "wait") return;
  if (step.do === "found" || !state) {
    const first = fresh();
    world.state = { authorities: [first], signer: first.id };
  } else if (step.do === "prepare")
    world.state = { authorities: [...state.authorities, fresh()], signer: state.signer };
  else if (step.do === "publish") {
    if (step.again) world.state = { authorities: state.authorities, signer: state.signer };
    world.entries[0] = [...step.bundle];
    // A crash between the two configurations leaves one as it was.
    if (!crashed) world.entries[1] = [...step.bundle];
    world.seen.push({ at: now, bundle: [...step.bundle] });
  } else if (step.do === "settle") world.state = { ...state, publishedAt: now };
  else if (step.do === "switch") world.state = { ...state, signer: step.to, switchedAt: now };
  else if (step.do === "prove") world.state = { ...state, provenAt: now };
  else world.state = { authorities: state.authorities.filter(({ id }) => id !== step.authority), signer: state.signer };
}

/** Whether an API server that lags at most `settleMs` trusts every leaf that may still be served. */
function trusted(
  entries: readonly (readonly string[])[],
  lagging: readonly (readonly string[])[],
  leaves: ReadonlyMap<string, number>,
  now: number,
): boolean {
  const living = [...leaves].filter(([, ends]) => ends > now).map(([id]) => id);
  return [...entries, ...lagging].every((bundle) => bundle.length === 0 || living.every((id) => bundle.includes(id)));
}

const moment = fc.record({
  wait: fc.oneof(fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: HOUR, max: 5 * DAY })),
  crashed: fc.boolean(),
});

/** Runs a decider that believes in `terms` in a world where TERMS hold; false as soon as a leaf meets no trust. */
function staysTrusted(
  moments: readonly { readonly wait: number; readonly crashed: boolean }[],
  terms: ServingTerms,
): boolean {
  const world: World = { state: undefined, entries: [[], []], seen: [], made: 0 };
  const leaves = new Map<string, number>();
  const history: { readonly at: number; readonly entries: string[][] }[] = [];
  let now = 1;
  for (const { wait, crashed } of moments) {
    perform(world, now, crashed, terms);
    history.push({ at: now, entries: world.entries.map((each) => [...each]) });
    const lagging = history.filter((_, index) => (history[index + 1]?.at ?? now) > now - TERMS.settleMs);
    if (world.state) leaves.set(world.state.signer, now + TERMS.leafMs);
    if (
      !trusted(
        world.entries,
        lagging.flatMap(({ entries }) => entries),
        leaves,
        now,
      )
    )
      return false;
    now += wait;
  }
  return true;
}

const worlds = fc.array(moment, { minLength: 20, maxLength: 120 });

test("whatever is lost, late or done twice, no API server meets a leaf that it does not trust", () => {
  fc.assert(fc.property(worlds, (moments) => staysTrusted(moments, TERMS)));
});

test.each([
  ["does not wait for API servers to see the bundle", { ...TERMS, settleMs: 0 }],
  ["drops the old authority before its last leaf has ended", { ...TERMS, leafMs: HOUR }],
])("the property bites: a decider that %s is found out", (_, terms) => {
  expect(
    fc.check(
      fc.property(worlds, (moments) => staysTrusted(moments, terms)),
      { numRuns: 5000, endOnFailure: true },
    ).failed,
  ).toBe(true);
});
