import { expect, test } from "vitest";
import type { EndedException } from "../../src/reconcile/pods/ended-exceptions.ts";
import { decideFlags } from "../../src/reconcile/pods/flag-exceptions.ts";
import { type KubeObject, readApiObject } from "../../src/wire/objects.ts";
import type { Raw } from "../../src/wire/read-object.ts";
import { applyPatch } from "../fakes/json-patch.ts";
import { must, NOON } from "../fakes/judging.ts";

const READY = {
  type: "Ready",
  status: "False",
  reason: "Ended",
  message: "",
  lastTransitionTime: "2026-11-23T11:00:00Z",
};

const exception = (raw: Raw = {}): KubeObject =>
  must(
    readApiObject(
      {
        apiVersion: "signet.dev/v1alpha1",
        kind: "SegmentException",
        metadata: { name: "ex", namespace: "web", uid: "u-ex", resourceVersion: "7", generation: 2 },
        spec: {},
        status: { approvals: [], conditions: [READY] },
        ...raw,
      },
      "server",
    ),
  );

const ended = (name: string, namespace = "web"): EndedException => ({
  do: "flagPod",
  object: { apiVersion: "v1", kind: "Pod", namespace, name, uid: name, resourceVersion: "1" },
  exception: "ex",
  code: "EXCEPTION_EXPIRED",
  why: "",
});

/** The conditions after the round, or that nothing is to be done. */
function after(object: KubeObject, pods: readonly EndedException[], now = NOON) {
  const [flag] = decideFlags([object], pods, now);
  return flag ? applyPatch(object.raw, flag.patch) : "nothing";
}

const conditionsOf = (raw: Raw | "nothing"): unknown =>
  raw === "nothing" ? raw : (raw["status"] as { conditions: unknown }).conditions;

const flagged = (message: string) => ({
  type: "RunningBeyondEnd",
  status: "True",
  reason: "PodsRun",
  message,
  observedGeneration: 2,
  lastTransitionTime: "2026-11-23T12:00:00Z",
});

test("an exception says which Pods outlived it, beside what else is said of it", () => {
  expect(conditionsOf(after(exception(), [ended("b"), ended("a"), ended("c", "other")]))).toEqual([
    READY,
    flagged("2 Pods run that only this let in: a, b. Their next start will be refused."),
  ]);
});

test("it is said once, and when the last is gone that is said too", () => {
  const said = after(exception(), [ended("a")]) as Raw;
  const told = exception({ ...said, metadata: exception().raw["metadata"] as Raw });
  expect(after(told, [ended("a")], NOON + 1000)).toBe("nothing");
  expect(conditionsOf(after(told, [], NOON + 60_000))).toEqual([
    READY,
    {
      ...flagged("No Pod runs any more that only this let in."),
      status: "False",
      reason: "NoPods",
      lastTransitionTime: "2026-11-23T12:01:00Z",
    },
  ]);
});

test("an exception that nobody outlived says nothing of it", () => {
  expect(after(exception(), [])).toBe("nothing");
  const over = after(exception({ status: { conditions: [{ ...flagged(""), status: "False" }] } }), []);
  expect(over).toBe("nothing");
});
