import { ok, problemLine, refuse, type Result } from "../../../domain/problem.ts";
import { CATALOGUE_WATCHES } from "../../../kube/catalogue.ts";
import type { KubeClient } from "../../../kube/client.ts";
import type { Term } from "../../../kube/lease.ts";
import { type Awaited, awaited, awaitedGone } from "../../../kube/live-policies.ts";
import { type Log, reasonOf } from "../../../kube/log.ts";
import type { EventAction } from "../../../reconcile/events.ts";
import { objectKey, type Write } from "../../../reconcile/policies/order.ts";
import { cuttingOff, type Plan, standingAfter } from "../../../reconcile/policies/plan.ts";
import { POLICY_RESOURCES } from "../../../reconcile/policies/published-kinds.ts";
import type { StandingAction } from "../../../reconcile/policies/standing-status.ts";
import type { WatchMeans } from "../../../kube/watch.ts";
import type { Contested } from "./contested.ts";
import type { Fights } from "./fights.ts";
import { applyWhole } from "../../apply-whole.ts";

/** What writing takes. */
export type Performing = {
  readonly client: Pick<KubeClient, "patch" | "delete">;
  readonly log: Log;
  readonly events: { readonly emit: (event: EventAction) => void };
};

/** Objects that wait, as somebody else had the last word: at each write, or after each mend. */
export type Waiting = { readonly contested: Contested; readonly fights: Fights };

/** How far the writes of a plan came: those that were made, in order, and why the next one was not. */
type Done = {
  /** Writes after which somebody else had the last word; they hold no other write back. */
  readonly contested: readonly Write[];
  readonly writes: readonly Write[];
  readonly awaited: readonly Awaited[];
  readonly fault?: string;
};

/**
 * Carries a plan out, up to the first write that is refused. Then what only cuts off goes on: the writes of each namespace in
 * their order, whatever was refused in another.
 */
export async function performPlan(
  means: Performing & Pick<WatchMeans, "clock">,
  plan: Plan,
  { contested, fights }: Waiting,
  term: Term,
): Promise<Done> {
  const due = (writes: readonly Write[]) => {
    const now = means.clock.monotonic();
    return contested.without(fights.without(writes, now), now);
  };
  contested.keep(plan.writes);
  fights.keep(plan.writes);
  const perform = async (writes: readonly Write[]): Promise<Done> => {
    const made = await performWrites(means, due(writes), term);
    contested.note(made, means.clock.monotonic());
    fights.note(made.writes, means.clock.monotonic());
    return made;
  };
  const done = await perform(plan.writes);
  if (done.fault === undefined) return done;
  const before = plan.published.ours.map(({ object }) => object);
  const rest = cuttingOff(plan, standingAfter(before, done.writes));
  const all = [done];
  for (const own of Map.groupBy(rest, ({ object }) => object.metadata.namespace).values()) all.push(await perform(own));
  return {
    ...done,
    contested: all.flatMap((one) => one.contested),
    writes: all.flatMap((one) => one.writes),
    awaited: all.flatMap((one) => one.awaited),
  };
}

/** Makes the writes one after another, and stops at the first that is refused: their order is what makes them safe. */
async function performWrites(means: Performing, writes: readonly Write[], term: Term): Promise<Done> {
  const done: Write[] = [];
  const seen: Awaited[] = [];
  const contested: Write[] = [];
  const soFar = { writes: done, awaited: seen, contested };
  for (const write of writes) {
    if (!term.valid()) return { ...soFar, fault: "this replica writes no more" };
    const answer = await perform(means.client, write).catch((fault: unknown) =>
      refuse("INTERNAL", "", reasonOf(fault)),
    );
    if (!answer.ok) {
      const fault = `${write.verb} ${objectKey(write.object)}: ${answer.problems.map(problemLine).join(" ")}`;
      means.log.warn(
        { object: objectKey(write.object), reason: fault },
        "A policy was not written; it is tried again.",
      );
      if (answer.problems[0]?.code !== "API_CONFLICT") return { ...soFar, fault };
      contested.push(write);
      continue;
    }
    means.log.info({ object: objectKey(write.object), did: write.verb, why: write.why }, "A policy was written.");
    done.push(write);
    if (answer.value.awaited) seen.push(answer.value.awaited);
  }
  return soFar;
}

async function perform(
  client: Performing["client"],
  { verb, object }: Write,
): Promise<Result<{ readonly awaited?: Awaited }>> {
  const resource = POLICY_RESOURCES.find(({ kind }) => kind === object.kind);
  if (!resource) throw new TypeError(`${object.kind} is not published`);
  if (verb === "apply") {
    const applied = await applyWhole(client, resource, object);
    return applied.ok ? ok({ awaited: awaited(resource, applied.value) }) : applied;
  }
  const removed = await client.delete(resource, object.metadata);
  if (removed.ok) return ok({ awaited: awaitedGone(resource, removed.value) });
  return removed.problems[0]?.code === "NOT_FOUND" ? ok({}) : removed;
}

/** Writes where each SegmentPolicy and each quarantine stands. One that changed since it was seen is left for the next round. */
export async function writeStandings(
  { client, log, events }: Performing,
  actions: readonly StandingAction[],
  term: Term,
): Promise<void> {
  for (const { object, patch, why, event } of actions) {
    const { kind, namespace, name } = object;
    const resource = CATALOGUE_WATCHES.find((watch) => watch.resource.kind === kind)?.resource;
    if (!resource || !term.valid()) return;
    const target = namespace === "" ? { name } : { namespace, name };
    const written = await client
      .patch(resource, target, { type: "json", body: patch }, { subresource: "status" })
      .catch((fault: unknown) => reasonOf(fault));
    if (typeof written === "object" && written.ok) {
      log.info({ kind, namespace, name, why }, "A status says where it stands.");
      if (event) events.emit(event);
    } else log.debug({ kind, namespace, name }, "A status was not written.");
  }
}
