import type { Instant } from "../../domain/instant.ts";
import { formatInstant } from "../../domain/instant.ts";
import type { PatchOperation } from "../../domain/json-patch.ts";
import { type Approvable, type Condition, type ObjectKey, readApprovable } from "../../wire/definitions/approvable.ts";
import type { KubeObject } from "../../wire/objects.ts";
import { listed } from "../approvals/conditions.ts";
import { statusPatch } from "../approvals/status-patch.ts";
import type { EndedException } from "./ended-exceptions.ts";

/** A condition to be written on a SegmentException, because Pods run that it no longer covers, or because none does any more. */
export type ExceptionFlag = {
  readonly do: "flagException";
  readonly object: ObjectKey;
  readonly why: string;
  /** JSON Patch of the status subresource; its first operation tests the resource version. */
  readonly patch: readonly PatchOperation[];
};

const TYPE = "RunningBeyondEnd";

/**
 * Says on each exception whether Pods still run by it though it has ended (product rules, "Annotations never grant"). One
 * that nobody outlived says nothing; one that somebody did says when that is over.
 */
export const decideFlags = (
  exceptions: readonly KubeObject[],
  ended: readonly EndedException[],
  now: Instant,
): readonly ExceptionFlag[] =>
  exceptions.flatMap((exception) => flagOf(readApprovable(exception, "Namespaced"), ended, now) ?? []);

function flagOf(approvable: Approvable, ended: readonly EndedException[], now: Instant): ExceptionFlag | undefined {
  const { object, conditions, generation } = approvable;
  const pods = ended
    .filter((each) => each.exception === object.name && each.object.namespace === object.namespace)
    .map((each) => each.object.name)
    .sort();
  const old = conditions.find(({ type }) => type === TYPE);
  if (approvable.deleting || (pods.length === 0 && old?.status !== "True")) return undefined;
  const said = { ...(pods.length > 0 ? running(pods) : NOBODY), observedGeneration: generation };
  if (old && saysSame(old, said)) return undefined;
  const next = {
    ...said,
    lastTransitionTime: old?.status === said.status ? old.lastTransitionTime : formatInstant(now),
  };
  const change = { conditions: [...conditions.filter(({ type }) => type !== TYPE), next] };
  return { do: "flagException", object, why: said.message, patch: statusPatch(approvable, change) };
}

type Said = Omit<Condition, "lastTransitionTime" | "observedGeneration">;

const saysSame = (old: Condition, said: Omit<Condition, "lastTransitionTime">): boolean =>
  old.status === said.status && old.message === said.message && old.observedGeneration === said.observedGeneration;

const running = (pods: readonly string[]): Said => ({
  type: TYPE,
  status: "True",
  reason: "PodsRun",
  message: `${pods.length === 1 ? "One Pod runs" : `${pods.length} Pods run`} that only this let in: ${listed(pods)}. Their next start will be refused.`,
});

const NOBODY: Said = {
  type: TYPE,
  status: "False",
  reason: "NoPods",
  message: "No Pod runs any more that only this let in.",
};
