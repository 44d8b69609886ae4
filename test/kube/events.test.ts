import { expect, test } from "vitest";
import { ok, refuse, type Result } from "../../src/domain/problem.ts";
import { EventRecorder } from "../../src/kube/events.ts";
import type { EventAction } from "../../src/reconcile/events.ts";
import type { Raw } from "../../src/wire/read-object.ts";
import { makeFakeClock } from "../fakes/clock.ts";
import { quietLog } from "../fakes/quiet-log.ts";

const ACTION: EventAction = {
  do: "emitEvent",
  regarding: { kind: "ReplicaSet", namespace: "web", name: "web-1", uid: "rs" },
  type: "Warning",
  reason: "RoleNone",
  action: "Admission",
  note: "Pod web-1-abc was refused: No role fits.",
};

function recording() {
  const clock = makeFakeClock();
  const state = { gone: false, failing: false };
  const written: unknown[] = [];
  const recorder = new EventRecorder({
    client: {
      create: async (_resource, object): Promise<Result<Raw>> => {
        if (state.failing) throw new Error("unreachable");
        written.push(object);
        return ok(object);
      },
      patch: async (_resource, { namespace, name }, { body }): Promise<Result<Raw>> => {
        if (state.gone) return refuse("NOT_FOUND", "", "gone");
        written.push([`${namespace}/${name}`, body]);
        return ok({});
      },
    },
    clock,
    random: () => 0.5,
    log: quietLog,
    instance: "signet-0",
  });
  return { clock, state, written, recorder };
}

test("an Event says who it regards, what was done and why, in the form that events.k8s.io asks for", async () => {
  const { clock, recorder, written } = recording();
  recorder.emit(ACTION);
  await recorder.settled();
  expect(written).toEqual([
    {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { namespace: "web", name: "web-1.i0" },
      eventTime: new Date(clock.wall()).toISOString().replace("Z", "000Z"),
      reportingController: "signet.dev/signet",
      reportingInstance: "signet-0",
      regarding: { apiVersion: "apps/v1", kind: "ReplicaSet", namespace: "web", name: "web-1", uid: "rs" },
      type: "Warning",
      reason: "RoleNone",
      action: "Admission",
      note: "Pod web-1-abc was refused: No role fits.",
    },
  ]);
});

test("the same about the same object within six minutes is counted, though another Pod was refused", async () => {
  const { clock, recorder, written } = recording();
  recorder.emit(ACTION);
  recorder.emit({ ...ACTION, note: "Pod web-1-def was refused: No role fits." });
  await recorder.settled();
  const lastObservedTime = new Date(clock.wall()).toISOString().replace("Z", "000Z");
  expect(written.slice(1)).toEqual([["web/web-1.i0", { series: { count: 2, lastObservedTime } }]]);
  clock.advance(6 * 60_000);
  recorder.emit(ACTION);
  await recorder.settled();
  expect(written.slice(2)).toMatchObject([{ kind: "Event" }]);
});

test("an Event that is gone when it should be counted is written anew", async () => {
  const { recorder, written, state } = recording();
  recorder.emit(ACTION);
  await recorder.settled();
  state.gone = true;
  recorder.emit(ACTION);
  await recorder.settled();
  expect(written.slice(1)).toMatchObject([{ kind: "Event" }]);
});

test("what cannot be written is dropped and counted, and what comes next is written", async () => {
  const { recorder, written, state } = recording();
  state.failing = true;
  recorder.emit(ACTION);
  await recorder.settled();
  state.failing = false;
  recorder.emit(ACTION);
  await recorder.settled();
  expect(written).toHaveLength(1);
  expect(recorder.counts()).toEqual({ written: 1, dropped: 1 });
});

test("no more than 256 Events wait", async () => {
  const { recorder } = recording();
  for (let count = 0; count < 300; count++)
    recorder.emit({ ...ACTION, regarding: { ...ACTION.regarding, uid: `u${count}` } });
  await recorder.settled();
  expect(recorder.counts()).toEqual({ written: 256, dropped: 44 });
});
