import { beforeEach, expect, test } from "vitest";
import { ApprovalStore } from "../fakes/approval-store.ts";
import { NOON } from "../fakes/judging.ts";

const DAY_MS = 86_400_000;
const END = NOON + 20 * DAY_MS;
const exception = (expires: number) =>
  JSON.stringify({
    apiVersion: "signet.dev/v1alpha1",
    kind: "SegmentException",
    metadata: { namespace: "web", name: "import" },
    spec: {
      permit: { check: "hostPID" },
      workloads: { role: "front" },
      reason: "r",
      expires: new Date(expires).toISOString(),
    },
  });

let store: ApprovalStore;
/** What was said until the decider had nothing more to do. */
const told = (now: number): readonly string[] =>
  store
    .reconcile(now)
    .flatMap(({ event }) => (event ? [`${event.type} ${event.reason} ${event.regarding.name}: ${event.note}`] : []));
const condition = (type: string) =>
  store.get("SegmentException", "import").status.conditions.find((one) => one.type === type);
const approve = () => {
  for (const user of ["bob", "carla"]) store.approve(user, "SegmentException", "import");
};

beforeEach(() => {
  store = new ApprovalStore();
  store.apply(
    "installer",
    "{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}",
  );
  store.apply("alice", exception(END));
  told(NOON);
});

test("a week before, a day before and at the end it is told, once each", () => {
  approve();
  const times = [
    NOON,
    END - 7 * DAY_MS - 1,
    END - 7 * DAY_MS,
    END - 3 * DAY_MS,
    END - DAY_MS,
    END - 1,
    END,
    END + DAY_MS,
  ];
  expect(times.flatMap((time) => told(time))).toEqual([
    "Normal ExceptionWithinAWeek import: It ends at 2026-12-13T12:00:00Z; extend it, or mend what it is for.",
    "Normal ExceptionWithinADay import: It ends at 2026-12-13T12:00:00Z; extend it, or mend what it is for.",
    "Warning ExceptionEnded import: It ended at 2026-12-13T12:00:00Z.",
  ]);
});

test("a writer that was away tells only how things are when it is back", () => {
  approve();
  told(NOON);
  expect(told(END - DAY_MS)).toHaveLength(1);
  expect(condition("Ending")).toMatchObject({ status: "True", reason: "WithinADay" });
});

test("an extension that is approved stops the countdown", () => {
  approve();
  told(END - DAY_MS);
  store.apply("alice", exception(END + 14 * DAY_MS));
  expect(told(END - DAY_MS)).toEqual([]);
  expect(condition("Ending")).toMatchObject({ status: "True", reason: "WithinADay" });
  approve();
  expect(told(END - DAY_MS)).toEqual([]);
  expect(condition("Ending")).toMatchObject({ status: "False", message: "It ends at 2026-12-27T12:00:00Z." });
});

test("an extension that nobody approves does not keep what has ended ready", () => {
  approve();
  told(NOON);
  store.apply("alice", exception(END + DAY_MS));
  told(END);
  expect([condition("Ready")?.reason, condition("Ending")?.reason]).toEqual(["Ended", "Ended"]);
});

test("what nobody approved is not counted down", () => {
  expect(told(END - DAY_MS)).toEqual([]);
  expect(condition("Ending")).toBeUndefined();
});
