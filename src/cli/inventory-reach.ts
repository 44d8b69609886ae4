import { endText } from "../domain/flow.ts";
import type { Instant } from "../domain/instant.ts";
import { type Evaluator, makeEvaluator } from "../policy/evaluate/evaluator.ts";
import { scenesOf } from "../policy/analysis/scene.ts";
import type { EffectiveEnd } from "../policy/effective/end.ts";
import { effectivePassages } from "../policy/effective/verdict.ts";
import { rulingNames } from "../policy/intent/words.ts";
import { type PassageSet, passagesText } from "../policy/intent/passages.ts";
import { sliceIntent } from "../policy/intent/slices.ts";
import { type Reach, reachOf } from "../policy/reach/matrix.ts";
import type { Policy } from "../policy/model/policy.ts";
import { intersect } from "../policy/sets/intervals.ts";
import type { Inventory } from "./inventory.ts";

/** The reach of everything in an inventory at an instant, and questions about single pairs of it. */
export type InventoryReach = {
  readonly inventory: Inventory;
  readonly now: Instant;
  readonly reach: Reach;
  readonly evaluator: Evaluator;
  /** Names of the workloads, in the order of the reach's ends. */
  readonly names: readonly string[];
};

/** Computes the reach of an inventory on the Pod network. */
export function inventoryReach(inventory: Inventory, now: Instant): InventoryReach {
  const policies = podNetworkPolicies(inventory);
  const { intent, members } = inventory;
  return {
    inventory,
    now,
    reach: reachOf({ intent, policies, ends: members, now }),
    evaluator: makeEvaluator(policies),
    names: members.map(shownEnd),
  };
}

const podNetworkPolicies = ({ world }: Inventory): readonly Policy[] => scenesOf(world)[0]?.policies ?? [];

/** What is open between two ends under all kinds. */
export const openBetween = (
  { inventory, evaluator, now }: InventoryReach,
  pair: readonly [EffectiveEnd, EffectiveEnd],
): PassageSet => effectivePassages(inventory.intent, evaluator, pair, now);

/** One step of a way: who, to whom, on what, and by which rules of ours. */
export type Step = { readonly from: string; readonly to: string; readonly on: string; readonly by: readonly string[] };

/** The step between two ends; `on` narrows it to the passages that are asked about. */
export function stepBetween(
  { inventory: { intent }, now }: InventoryReach,
  [from, to]: readonly [EffectiveEnd, EffectiveEnd],
  open: PassageSet,
): Step {
  const by = sliceIntent(intent, from.end, to.end, now)
    .filter(({ passages, verdict }) => verdict.allowed && intersect(passages, open).length > 0)
    .flatMap(({ verdict }) => rulingNames(verdict));
  return { from: shownEnd(from), to: shownEnd(to), on: passagesText(open), by: [...new Set(by)] };
}

/** `payments/orders-db[Deployment]`, or `10.0.0.0-10.255.255.255[External]`. */
export const shownEnd = ({ end, endpoint }: EffectiveEnd): string =>
  end.kind === "workload" ? endText(end) : endpoint.text;
