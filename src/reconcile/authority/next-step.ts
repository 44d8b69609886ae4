import type { Instant } from "../../domain/instant.ts";
import { activeOf, type Authority, type AuthoritySet, successorOf } from "./authority-set.ts";
import type { Pace } from "./pace.ts";
import { isOutage, makeStep, type Step, type World } from "./steps.ts";

/** What a writer does next: a step that the guard lets through, or the making of an authority, which needs a key. */
export type NextStep = Exclude<Step, { readonly step: "prepare" }> | { readonly step: "make" };

/**
 * The next step of a rotation that moves by itself, undefined where there is nothing to do but wait. A pure function of what is
 * stored and what is seen: a writer that was killed, or another one, goes on from there.
 */
export function nextStep(set: AuthoritySet, world: World): NextStep | undefined {
  if (set.paused && !isOutage(set, world.now)) return undefined;
  if (world.ownRoots && isDue(set, world.now, world.pace)) return { step: "make" };
  return candidates(set).find((step) => makeStep(set, step, world).ok);
}

/**
 * Whether a new authority is to be made here: there is none, it was asked for, or the active one has lived long enough. One
 * below an offline root has no successor that was made here unless somebody asks for it: that would be another root.
 */
function isDue(set: AuthoritySet, now: Instant, pace: Pace): boolean {
  if (successorOf(set)) return false;
  if (set.requestedAt !== undefined) return true;
  const active = activeOf(set);
  return active ? !active.offline && now >= dueAt(active, pace) : !set.authorities.some(({ offline }) => offline);
}

/** Whether a chain from the offline root is needed: nothing signs, or the active authority has lived long enough. */
export function needsChain(
  set: AuthoritySet,
  { now, pace, ownRoots }: Pick<World, "now" | "pace" | "ownRoots">,
): boolean {
  if (successorOf(set)) return false;
  const active = activeOf(set);
  const offline = !ownRoots || (active ?? set.authorities.at(-1))?.offline === true;
  return offline && (!active || active.compromised !== undefined || now >= dueAt(active, pace));
}

/** When the successor of an authority is prepared. */
export const dueAt = ({ window: { notBefore, notAfter } }: Authority, { share }: Pace): Instant =>
  Math.floor(notBefore + (notAfter - notBefore) * share);

type Candidate = Extract<NextStep, { readonly id: string }>;

/** What moves by itself, in the order in which it is tried; a tainted authority is never made active again by itself. */
function candidates({ authorities }: AuthoritySet): readonly Candidate[] {
  return authorities.flatMap(({ id, state, publishedAt }): readonly Candidate[] => {
    switch (state) {
      case "prepared":
        return [{ step: "publish", id }];
      case "published":
        return publishedAt === undefined
          ? [
              { step: "confirm", id },
              { step: "activate", id },
            ]
          : [{ step: "activate", id }];
      case "active":
        return [];
      case "tainted":
        return [{ step: "revoke", id }];
      case "revoked":
        return [{ step: "prune", id }];
    }
  });
}
