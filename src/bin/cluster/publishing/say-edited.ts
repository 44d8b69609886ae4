import type { Instant } from "../../../domain/instant.ts";
import type { WatchMeans } from "../../../kube/watch.ts";
import type { EventBudget } from "../../../reconcile/events.ts";
import type { ClusterState } from "../../../reconcile/policies/cluster.ts";
import { editedEvent, editorOf } from "../../../reconcile/policies/edited-event.ts";
import { objectKey, type Write } from "../../../reconcile/policies/order.ts";
import { mendedBy, type Plan } from "../../../reconcile/policies/plan.ts";
import type { Fights } from "./fights.ts";
import type { Performing } from "./perform.ts";

type Means = Pick<WatchMeans, "clock"> &
  Pick<Performing, "events" | "log"> & {
    readonly now: () => Instant;
    readonly budget: EventBudget;
    readonly fights: Fights;
  };

/** Says beside each object of ours that somebody changed who did, and whether it was mended with the rest, or how long that waits. */
export function sayEdited(
  { events, log, now, clock, budget, fights }: Means,
  plan: Plan,
  { policies }: Pick<ClusterState, "policies">,
  writes: readonly Write[],
): void {
  const all = mendedBy(plan, writes);
  for (const object of plan.edited) {
    const mended = all.has(object);
    const fought = fights.of(objectKey(object), clock.monotonic());
    const waitMs = fought && Math.max(0, fought.until - clock.monotonic());
    const told = { mended, ...(fought && waitMs !== undefined ? { fought: { times: fought.times, waitMs } } : {}) };
    const by = editorOf(object, policies);
    const event = editedEvent(budget, object, { policies, by, ...told }, now());
    log.warn({ object: objectKey(object), by, ...told }, "Somebody changed a policy of ours.");
    if (event) events.emit(event);
  }
}
