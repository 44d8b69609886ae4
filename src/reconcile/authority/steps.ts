import type { Instant } from "../../domain/instant.ts";
import { ok, problem, type Problem, refuseAll, type Result } from "../../domain/problem.ts";
import {
  activeOf,
  type Authority,
  type AuthoritySet,
  type AuthorityState,
  type Compromise,
  successorOf,
} from "./authority-set.ts";
import { formatMinutes, type Pace, renewedMs } from "./pace.ts";

/** One change of a set of authorities. Each is a single write, so that a crash leaves the one before or the one after. */
export type Step =
  | { readonly step: "request" }
  | { readonly step: "prepare"; readonly authority: Pick<Authority, "id" | "root" | "window" | "offline"> }
  | { readonly step: "awaitChain"; readonly id: string }
  | { readonly step: "publish" | "confirm" | "activate" | "revoke" | "prune" | "withdraw"; readonly id: string }
  | { readonly step: "condemn"; readonly id: string; readonly remove: Compromise["remove"] }
  | { readonly step: "pause" | "resume" };

/** What is known when a step is to be made. */
export type World = {
  readonly now: Instant;
  readonly pace: Pace;
  /** Whether roots may be made here; where not, every chain comes from an offline root. */
  readonly ownRoots: boolean;
  /** The lowest sequence number of the bundle that every place of publication is known to have. */
  readonly served: number;
  /** For how long this writer, without a break, has seen the authority stand where it stands; by a clock that never jumps. */
  readonly watchedMs: (id: string) => number;
  /** Readers whose bundles were looked at and lack the root of that authority. */
  readonly lacking: (id: string) => readonly string[];
};

/**
 * Makes one step, or refuses it with ROTATION_REFUSED and what it waits for. Nothing can be skipped: an authority signs only
 * after its root was published, aged and found with every reader that can be asked; a root leaves the bundle only after
 * everything signed below it has expired.
 */
export function makeStep(set: AuthoritySet, step: Step, world: World): Result<AuthoritySet> {
  const reasons = GUARDS[step.step](set, step, world);
  if (reasons.length > 0) return refuseAll(reasons.map((why) => refusal(step, why)));
  return ok(Object.freeze(MOVES[step.step](set, step, world)));
}

const refusal = (step: Step, why: string): Problem =>
  problem(
    "ROTATION_REFUSED",
    "id" in step ? step.id : "",
    `The step "${step.step}" cannot be made now: ${why}.`,
    "`signet ca rotate --plan` shows every step and what it waits for.",
  );

type Guard = (set: AuthoritySet, step: Step, world: World) => readonly string[];
type Move = (set: AuthoritySet, step: Step, world: World) => AuthoritySet;

const find = (set: AuthoritySet, step: Step): Authority | undefined =>
  "id" in step ? set.authorities.find(({ id }) => id === step.id) : undefined;

const inState =
  (...states: readonly AuthorityState[]): Guard =>
  (set, step) => {
    const found = find(set, step);
    if (!found) return ["there is no such authority"];
    return states.includes(found.state) ? [] : [`the authority is ${found.state}, not ${states.join(" or ")}`];
  };

const all =
  (...guards: readonly Guard[]): Guard =>
  (set, step, world) => {
    for (const guard of guards) {
      const reasons = guard(set, step, world);
      if (reasons.length > 0) return reasons;
    }
    return [];
  };

const when =
  (holds: (set: AuthoritySet, step: Step, world: World) => boolean, otherwise: string): Guard =>
  (set, step, world) =>
    holds(set, step, world) ? [] : [otherwise];

const holdsNow = ({ window }: Authority, now: Instant): boolean => now >= window.notBefore && now < window.notAfter;

/** Nothing that may be trusted signs now: whoever waits then only prolongs the outage. */
export const isOutage = (set: AuthoritySet, now: Instant): boolean => {
  const active = activeOf(set);
  return !active || !holdsNow(active, now) || active.compromised?.remove === "now";
};

/** Why readers cannot be taken to have the root of a published authority. */
const unsettled: Guard = (set, step, { served, watchedMs, lacking, pace, now }) => {
  const found = find(set, step);
  if (!found || isOutage(set, now) || found.state === "tainted" || rootIsTrusted(set, found)) return [];
  if (found.publishedAt === undefined || served < set.sequence)
    return ["its root is not known to be published everywhere"];
  const left = pace.settleMs - watchedMs(found.id);
  if (left > 0)
    return [`readers get ${formatMinutes(pace.settleMs)} to have its root, of which ${formatMinutes(left)} are left`];
  return lacking(found.id).map((reader) => `${reader} does not have its root yet`);
};

/** Its root stands above an authority that readers have trusted all along. */
const rootIsTrusted = ({ authorities }: AuthoritySet, { root }: Authority): boolean =>
  authorities.some((each) => each.root === root && (each.state === "active" || each.state === "tainted"));

const GUARDS: Readonly<Record<Step["step"], Guard>> = {
  request: all(
    when((set) => !successorOf(set), "a new authority is on its way already"),
    when(
      (_, __, { ownRoots }) => ownRoots,
      "roots are kept offline here: `signet ca csr`, `sign` and `import` bring one",
    ),
  ),
  awaitChain: all(
    when((set) => !successorOf(set), "a new authority is on its way already"),
    when((set) => !set.awaiting, "a key waits for its chain already"),
  ),
  prepare: all(
    when((set) => !successorOf(set), "a new authority is on its way already"),
    when(
      (set, step) => step.step === "prepare" && !set.authorities.some(({ id }) => id === step.authority.id),
      "there is one of that key already",
    ),
  ),
  publish: inState("prepared"),
  confirm: all(
    inState("published"),
    when((set, _, { served }) => served >= set.sequence, "its root is not known to be published everywhere"),
  ),
  activate: all(
    inState("published", "tainted"),
    when((set, step) => !find(set, step)?.compromised, "its key is in wrong hands"),
    when((set, step, { now }) => holdsNow(find(set, step) as Authority, now), "it does not hold now"),
    unsettled,
  ),
  withdraw: inState("prepared", "published"),
  revoke: all(
    inState("tainted"),
    when(
      (set, step, { now, pace }) => now >= revocableAt(find(set, step) as Authority, pace),
      "what it signed may still be in use",
    ),
  ),
  condemn: (set, step) => {
    const found = find(set, step);
    if (!found) return ["there is no such authority"];
    const known = found.compromised?.remove;
    const more = step.step === "condemn" && known === "renewed" && step.remove === "now";
    return known === undefined || more ? [] : ["its key is known to be in wrong hands"];
  },
  prune: all(
    inState("revoked"),
    when(
      (set, step, { now, pace }) => now >= forgettableAt(find(set, step) as Authority, pace),
      "it is kept for a while, so that its end can be seen",
    ),
  ),
  pause: when(({ paused }) => !paused, "it is paused already"),
  resume: when(({ paused }) => paused, "it is not paused"),
};

/**
 * When the root of a tainted authority leaves the bundle: what it signed last may live that long after, and nothing outlives
 * its issuer. A stolen key is not waited for so long: only until who renews in time has renewed, or not at all.
 */
export function revocableAt({ since, window, compromised }: Authority, pace: Pace): Instant {
  if (compromised?.remove === "now") return since;
  const longest = compromised ? renewedMs(pace) : pace.longestLeafMs + pace.marginMs;
  return Math.min(since + longest, Math.max(since, window.notAfter));
}

/** A revoked authority is kept for a day; one whose key was stolen until nothing that it signs can hold. */
export const forgettableAt = ({ since, window, compromised }: Authority, { marginMs }: Pace): Instant =>
  (compromised ? Math.max(since, window.notAfter) : since) + marginMs;

const to =
  (state: AuthorityState, grows: boolean): Move =>
  (set, step, { now }) => ({
    ...set,
    sequence: set.sequence + (grows ? 1 : 0),
    authorities: set.authorities.map((each) =>
      "id" in step && each.id === step.id ? { ...withoutPublication(each, state), state, since: now } : each,
    ),
  });

/** Its successor is wanted at once, and nothing stays paused; one that never signed goes at once. */
const condemn: Move = (set, step, world) => {
  if (step.step !== "condemn") return set;
  const compromised: Compromise = { at: world.now, remove: step.remove };
  const authorities = set.authorities.map((each) => (each.id === step.id ? { ...each, compromised } : each));
  const marked: AuthoritySet = { ...set, authorities, paused: false };
  const found = find(set, step);
  const gone = found?.state === "prepared" || found?.state === "published";
  const next = gone ? MOVES.withdraw(marked, { step: "withdraw", id: step.id }, world) : marked;
  return world.ownRoots && needsSuccessor(next) ? { ...next, requestedAt: world.now } : next;
};

/** Whether a stolen key signs and none that could replace it is there; below an offline root another chain is asked for. */
const needsSuccessor = (set: AuthoritySet): boolean => {
  const active = activeOf(set);
  return active?.compromised !== undefined && !active.offline && !successorOf(set);
};

const withoutPublication = (authority: Authority, state: AuthorityState): Authority => {
  const { publishedAt, ...rest } = authority;
  return state === "published" || publishedAt === undefined ? rest : { ...rest, publishedAt };
};

/** A key that waits for a chain waits on, unless this is its chain. */
const prepare: Move = ({ requestedAt: _, awaiting, ...set }, step, { now }) => {
  if (step.step !== "prepare") return set;
  const { authority } = step;
  return {
    ...set,
    ...(awaiting && awaiting.id !== authority.id ? { awaiting } : {}),
    authorities: [...set.authorities, { ...authority, state: "prepared", since: now }],
  };
};

const MOVES: Readonly<Record<Step["step"], Move>> = {
  request: ({ awaiting: _, ...set }, __, { now }) => ({ ...set, requestedAt: now }),
  awaitChain: (set, step, { now }) =>
    step.step === "awaitChain" ? { ...set, awaiting: { id: step.id, since: now } } : set,
  prepare,
  publish: to("published", true),
  confirm: (set, step, { now }) => ({
    ...set,
    authorities: set.authorities.map((each) =>
      "id" in step && each.id === step.id ? { ...each, publishedAt: now } : each,
    ),
  }),
  activate: (set, step, world) => {
    const taints = activeOf(set);
    const tainted = taints ? to("tainted", false)(set, { step: "activate", id: taints.id }, world) : set;
    return to("active", false)(tainted, step, world);
  },
  withdraw: (set, step, world) => to("revoked", find(set, step)?.state === "published")(set, step, world),
  condemn,
  revoke: to("revoked", true),
  prune: (set, step) => ({
    ...set,
    authorities: set.authorities.filter((each) => !("id" in step) || each.id !== step.id),
  }),
  pause: (set) => ({ ...set, paused: true }),
  resume: (set) => ({ ...set, paused: false }),
};
