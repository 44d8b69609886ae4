import {
  activeOf,
  type AuthoritySet,
  bundleRoots,
  NO_AUTHORITIES,
  standingOf,
} from "../../src/reconcile/authority/authority-set.ts";
import { nextStep } from "../../src/reconcile/authority/next-step.ts";
import { PACE, type Pace } from "../../src/reconcile/authority/pace.ts";
import { isOutage, makeStep, type Step, type World } from "../../src/reconcile/authority/steps.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
const AUTHORITY_LIFE = 20 * 24 * HOUR;
const LEAF_LIFE = 24 * HOUR;
/** Readers have a bundle that is at most so old, and replicas sign by a snapshot that is at most so old. */
const READER_LAG = 10 * MINUTE;
const SNAPSHOT_AGE = 4 * MINUTE;

type Leaf = { readonly root: string; readonly notAfter: number; readonly sparedUntil: number };
type Replica = { set: AuthoritySet; version: number; readAt: number; seen: Map<string, number> };

/** What can happen. `by` is a replica. */
export type Event =
  | { readonly what: "pass"; readonly ms: number }
  | { readonly what: "read" | "work" | "kill" | "sign"; readonly by: 0 | 1 }
  | { readonly what: "publish" }
  | { readonly what: "ask"; readonly step: "request" | "pause" | "resume" | "withdraw" | "rollback" };

/**
 * A trust domain with two replicas that may be stale or killed between any two writes, readers that are late, and a
 * publication that lags. It notes every certificate that some reader would not accept.
 */
export class RotationModel {
  now = 1_000 * HOUR;
  stored = { set: NO_AUTHORITIES, version: 0 };
  readonly failed: string[] = [];
  readonly states = new Set<string>();
  readonly #pace: Pace;
  readonly #replicas: readonly [Replica, Replica] = [blank(), blank()];
  /** Bundles as published, the newest last. */
  readonly #published: { at: number; sequence: number; roots: readonly string[] }[] = [];
  #leaves: Leaf[] = [];
  #outageUntil = 0;
  #made = 0;

  constructor(pace: Partial<Pace> = {}) {
    this.#pace = { ...PACE, ...pace };
  }

  happen(event: Event): void {
    switch (event.what) {
      case "pass":
        this.now += event.ms;
        break;
      case "publish":
        this.#publish();
        break;
      case "ask":
        this.#ask(event.step);
        break;
      case "read":
      case "work":
      case "kill":
      case "sign":
        this[event.what](this.#replicas[event.by]);
    }
    this.#look();
  }

  read(replica: Replica): void {
    const seen = new Map<string, number>();
    for (const each of this.stored.set.authorities.map(standingOf)) seen.set(each, replica.seen.get(each) ?? this.now);
    Object.assign(replica, { ...this.stored, readAt: this.now, seen });
  }

  kill(replica: Replica): void {
    Object.assign(replica, blank());
  }

  /** One step of a writer; what it read may be old, and then the write does not take place. */
  work(replica: Replica): void {
    const next = nextStep(replica.set, this.#world(replica));
    if (next) this.#write(replica, next.step === "make" ? this.#make() : next);
  }

  /** A certificate by whatever the replica takes to be active, if it has read lately. */
  sign(replica: Replica): void {
    const active = activeOf(replica.set);
    if (!active || this.now - replica.readAt > SNAPSHOT_AGE || this.now >= active.window.notAfter) return;
    const notAfter = Math.min(this.now + LEAF_LIFE, active.window.notAfter);
    this.#leaves.push({ root: active.root, notAfter, sparedUntil: this.#outageUntil });
  }

  #make(): Step {
    const id = `a${this.#made++}`;
    const window = { notBefore: this.now, notAfter: this.now + AUTHORITY_LIFE };
    return { step: "prepare", authority: { id, root: `r${id}`, window } };
  }

  #world(replica: Replica): World {
    return {
      now: this.now,
      pace: this.#pace,
      ownRoots: true,
      served: this.#published.at(-1)?.sequence ?? 0,
      lacking: () => [],
      watchedMs: (id) => {
        const found = replica.set.authorities.find((each) => each.id === id);
        const since = found && replica.seen.get(standingOf(found));
        return since === undefined ? 0 : this.now - since;
      },
    };
  }

  #write(replica: Replica, step: Step): void {
    if (replica.version !== this.stored.version) return;
    const made = makeStep(replica.set, step, this.#world(replica));
    if (!made.ok) return;
    if (step.step === "activate" && isOutage(replica.set, this.now)) this.#outageUntil = this.now + HOUR;
    this.stored = { set: made.value, version: this.stored.version + 1 };
    for (const { state } of made.value.authorities) this.states.add(state);
    this.read(replica);
  }

  #ask(step: "request" | "pause" | "resume" | "withdraw" | "rollback"): void {
    const person = { ...blank(), ...this.stored, readAt: this.now };
    const { authorities } = this.stored.set;
    const on = (state: string) => authorities.find((each) => each.state === state)?.id ?? "";
    if (step === "withdraw") this.#write(person, { step, id: on("published") || on("prepared") });
    else if (step === "rollback") this.#write(person, { step: "activate", id: on("tainted") });
    else this.#write(person, { step });
  }

  #publish(): void {
    const { set } = this.stored;
    this.#published.push({ at: this.now, sequence: set.sequence, roots: bundleRoots(set) });
  }

  /** Whether every reader, however late, accepts every certificate that has not ended. */
  #look(): void {
    this.#leaves = this.#leaves.filter(({ notAfter }) => notAfter > this.now);
    const bundles = this.#published.filter(
      ({ at }, index) => at > this.now - READER_LAG || index === this.#lastBefore(this.now - READER_LAG),
    );
    for (const leaf of this.#leaves)
      if (this.now > leaf.sparedUntil && bundles.some(({ roots }) => !roots.includes(leaf.root)))
        this.failed.push(`${leaf.root} at ${this.now}`);
    const active = this.stored.set.authorities.filter(({ state }) => state === "active");
    if (active.length > 1) this.failed.push("two are active");
  }

  #lastBefore(at: number): number {
    return this.#published.findLastIndex((bundle) => bundle.at <= at);
  }
}

const blank = (): Replica => ({ set: NO_AUTHORITIES, version: 0, readAt: Number.NEGATIVE_INFINITY, seen: new Map() });
