import type { Instant } from "../../../domain/instant.ts";
import { problemLine } from "../../../domain/problem.ts";
import type { LiveCatalogue } from "../../../kube/catalogue.ts";
import type { KubeClient } from "../../../kube/client.ts";
import type { Term } from "../../../kube/lease.ts";
import type { Awaited, LivePolicies, Served } from "../../../kube/live-policies.ts";
import type { LivePods } from "../../../kube/live-pods.ts";
import type { WatchMeans } from "../../../kube/watch.ts";
import type { AddressSet } from "../../../policy/sets/address-set.ts";
import { EventBudget } from "../../../reconcile/events.ts";
import { type ClusterState, compileForCluster, terminatingIn } from "../../../reconcile/policies/cluster.ts";
import { fingerprintOf, quarantinesText } from "../../../reconcile/policies/fingerprint.ts";
import { type Plan, planPublishing, standingAfter } from "../../../reconcile/policies/plan.ts";
import { ATTACHMENTS, JUDGED_RESOURCES } from "../../../reconcile/policies/published-kinds.ts";
import { decideQuarantines, quarantinesSaid } from "../../../reconcile/policies/restriction-status.ts";
import { standingsOf } from "../../../reconcile/policies/standing.ts";
import { decideStatuses } from "../../../reconcile/policies/standing-status.ts";
import { Contested } from "./contested.ts";
import { Fights } from "./fights.ts";
import { counted, NO_FIGURES, type PublishingFigures } from "./figures.ts";
import { type Performing, performPlan, writeStandings } from "./perform.ts";
import { lookedAtBeside, type PublishedTargets, publishedTargets } from "./publishing-targets.ts";
import { sayEdited } from "./say-edited.ts";
import { NODES } from "./tables.ts";

/** What publishing takes, for one term. */
export type PublisherMeans = Pick<WatchMeans, "clock" | "random"> &
  Performing & {
    readonly client: Pick<KubeClient, "create" | "patch" | "delete">;
    readonly live: () => Pick<LiveCatalogue, "current" | "objects">;
    readonly pods: Pick<LivePods, "objects" | "status">;
    /** Addresses that Pods have, beside those that nodes name. */
    readonly podNetworks: AddressSet;
    readonly policies: Pick<LivePolicies, "look" | "synced" | "objects" | "hasSeen">;
    readonly now: () => Instant;
  };

/** Kinds and rights are asked for again this often. */
const LOOK_MS = 5_000;
/** A compilation takes at most this share of the time, and never comes sooner after the last than this. */
const SHARE = 0.2;
const LEAST_MS = 250;
/** After a write that failed. */
const RETRY_MS = [250, 1_000, 5_000, 15_000] as const;
/** A wait that is longer than this is told. */
const LONG_MS = 15_000;
/** So long the watches may take to bring what was written. */
const UNSEEN_MS = 5_000;

type Looked = PublishedTargets & Served & { readonly at: number };

const NOTHING_SERVED: Served = { followed: [], unread: [] };

type Told = {
  readonly policies?: ReturnType<typeof standingsOf>;
  readonly quarantines?: ReturnType<typeof quarantinesSaid>;
};

/**
 * Keeps what is published equal to what the catalogue means, for one term. Everything it knows it reads from the cluster:
 * whoever comes after, wherever this one was killed, goes on from what stands there.
 */
export class Publisher {
  readonly #means: PublisherMeans;
  readonly #term: Term;
  readonly #policies: PublisherMeans["policies"];
  readonly #budget = new EventBudget();
  #looked: Looked | undefined;
  #key = "";
  #quarantines = "";
  #plan: Plan | undefined;
  /** What is to be said of each policy and each quarantine, once for each round that published; neither where nobody publishes. */
  #told: Told | undefined;
  #unseen: { readonly since: number; readonly awaited: readonly Awaited[] } | undefined;
  readonly #contested = new Contested();
  readonly #fights: Fights;
  #notBefore = 0;
  #faults = 0;
  /** Since when a line has ended, or begun, that could not be taken out, or in. */
  #late: Instant | undefined;
  /** Since when no round saw everything that it needs. */
  #waitsSince: Instant | undefined;
  #figures: PublishingFigures = NO_FIGURES;

  constructor(means: PublisherMeans, term: Term) {
    this.#means = means;
    this.#term = term;
    this.#policies = means.policies;
    this.#fights = new Fights(means.random);
  }

  /** Undefined where nothing is published. */
  figures(): PublishingFigures | undefined {
    if (!this.#looked || this.#looked.targets.length === 0) return undefined;
    const overdueSince = this.#late ?? this.#overdueSince() ?? (this.#waitsLong() ? this.#waitsSince : undefined);
    return { ...this.#figures, ...(overdueSince === undefined ? {} : { overdueSince }) };
  }

  /** One round: compiles where something has changed, writes what differs, and says where each policy stands. */
  async tend(): Promise<void> {
    this.#waitsSince ??= this.#means.now();
    const last = this.#looked;
    const looked = await this.#look();
    if (looked.targets.length === 0) [this.#plan, this.#told] = [undefined, {}];
    const state = looked.targets.length > 0 ? this.#state(looked) : undefined;
    if (state || looked.targets.length === 0) this.#waitsSince = undefined;
    if (state && this.#isDue(state, looked)) await this.#publish(state, looked);
    if (this.#waitsSince === undefined) await this.#tell();
    else if (this.#waitsLong()) await this.#tellWait(looked, looked !== last);
  }

  async #tellWait(looked: Looked, isNews: boolean): Promise<void> {
    const waitsFor = this.#unsynced(looked).join(", ");
    if (isNews) this.#means.log.warn({ waitsFor }, "Nothing is published until these were seen whole.");
    await this.#tell(waitsFor);
  }

  #waitsLong(): boolean {
    return this.#waitsSince !== undefined && this.#means.now() >= this.#waitsSince + LONG_MS;
  }

  /** What was not seen whole yet, and is needed for any verdict. */
  #unsynced({ followed }: Looked): readonly string[] {
    const { live, pods } = this.#means;
    const kinds = followed.filter((each) => !this.#policies.synced(each));
    return [
      ...(live().current() ? [] : ["definitions"]),
      ...(pods.status().synced ? [] : ["pods"]),
      ...kinds.map(({ group, plural }) => (group === "" ? plural : `${plural}.${group}`)),
    ];
  }

  /** Kinds are followed only once something may be written: without that there is nothing to watch for. */
  async #look(): Promise<Looked> {
    const { clock, client, log } = this.#means;
    const last = this.#looked;
    if (last && clock.monotonic() < last.at + LOOK_MS) return last;
    const may = await publishedTargets(client, JUDGED_RESOURCES);
    const served = may.targets.length > 0 ? await this.#policies.look(lookedAtBeside(may)) : NOTHING_SERVED;
    const found = may.targets.length > 0 ? await publishedTargets(client, served.followed) : may;
    const { targets } = found;
    if (targets.join() !== (last?.targets ?? []).join())
      log.info({ targets }, "Policies are published to these targets.");
    this.#looked = { ...found, ...served, at: clock.monotonic() };
    return this.#looked;
  }

  /** Undefined until everything was seen whole, and what was written has come back. */
  #state(looked: Looked): ClusterState | undefined {
    const { live, pods, clock } = this.#means;
    const catalogue = live().current();
    if (!catalogue || this.#unsynced(looked).length > 0) return undefined;
    const unseen = this.#unseen;
    if (unseen && !this.#policies.hasSeen(unseen.awaited) && clock.monotonic() < unseen.since + UNSEEN_MS)
      return undefined;
    this.#unseen = undefined;
    return {
      catalogue,
      namespaces: new Map(catalogue.definitions.namespaces.map(({ name, labels }) => [name, labels])),
      terminating: terminatingIn(
        live()
          .objects()
          .map(({ raw }) => raw),
      ),
      pods: [...pods.objects.values()],
      nodes: this.#policies.objects([NODES.resource]),
      policies: this.#policies.objects(JUDGED_RESOURCES),
      unread: looked.unread,
      attachments: this.#policies.objects([ATTACHMENTS]),
    };
  }

  /** On change only, and not too often; but a quarantine, and what begins or ends by time, never wait. */
  #isDue(state: ClusterState, { ours, targets }: Looked): boolean {
    const { clock } = this.#means;
    const quarantines = quarantinesText(state.catalogue);
    const urgent = quarantines !== this.#quarantines || this.#overdueSince() !== undefined;
    if (clock.monotonic() < this.#notBefore && !(urgent && this.#faults === 0)) return false;
    const key = `${targets.join()} ${[...ours].join()} ${fingerprintOf(state)}`;
    const instant = clock.monotonic();
    const again = this.#faults > 0 || this.#contested.isDue(instant) || this.#fights.isDue(instant);
    if (key === this.#key && !again && this.#overdueSince() === undefined) return false;
    this.#key = key;
    this.#quarantines = quarantines;
    return true;
  }

  #overdueSince(): Instant | undefined {
    const next = this.#plan?.published.compilation.nextChange;
    return next !== undefined && this.#means.now() >= next ? next : undefined;
  }

  async #publish(state: ClusterState, { ours, targets }: Looked): Promise<void> {
    const { clock, log, podNetworks, now } = this.#means;
    const began = clock.monotonic();
    const compiled = compileForCluster(state, { targets, ours, podNetworks, now: now() }, this.#plan?.published);
    const plan = compiled.ok ? planPublishing(compiled.value) : compiled;
    const compileMs = clock.monotonic() - began;
    this.#notBefore = clock.monotonic() + Math.max(LEAST_MS, compileMs / SHARE - compileMs);
    this.#figures = { ...this.#figures, compileMs };
    if (!plan.ok) {
      this.#fail();
      log.warn({ reason: plan.problems.map(problemLine) }, "Policies could not be compiled; what stands stays.");
      return;
    }
    const waiting = { contested: this.#contested, fights: this.#fights };
    const done = await performPlan(this.#means, plan.value, waiting, this.#term);
    const passed = this.#overdueSince();
    if (done.fault === undefined) this.#faults = 0;
    else this.#fail();
    const kept = done.fault === undefined && plan.value.whole && !this.#contested.any();
    this.#late = kept ? undefined : (this.#late ?? passed);
    if (done.writes.length > 0) {
      this.#unseen = { since: clock.monotonic(), awaited: done.awaited };
      // What was written is looked at once more: whoever undid it meanwhile left everything as it was seen before.
      this.#key = "";
    }
    const before = plan.value.published.ours.map(({ object }) => object);
    sayEdited({ ...this.#means, budget: this.#budget, fights: this.#fights }, plan.value, state, done.writes);
    this.#plan = plan.value;
    const standing = standingAfter(before, done.writes);
    this.#told = { policies: standingsOf(plan.value, standing), quarantines: quarantinesSaid(plan.value, standing) };
    const fought = this.#fights.count(clock.monotonic());
    this.#figures = { ...counted(this.#figures, plan.value, { standing, writes: done.writes }), fought };
  }

  #fail(): void {
    const wait = RETRY_MS[Math.min(this.#faults, RETRY_MS.length - 1)] ?? 0;
    this.#faults += 1;
    this.#notBefore = Math.max(this.#notBefore, this.#means.clock.monotonic() + wait);
  }

  async #tell(waitsFor?: string): Promise<void> {
    const { live, now } = this.#means;
    const restrictions = live().current()?.definitions.restrictions;
    const objects = live().objects();
    const of = (kind: string) => objects.filter((object) => object.kind === kind);
    const told = this.#told;
    const said = told?.quarantines ?? (waitsFor === undefined ? undefined : new Map());
    const outcome = { restrictions: restrictions ?? [], ...(said ? { said } : {}), ...(waitsFor ? { waitsFor } : {}) };
    const actions = [
      ...decideQuarantines(of("Restriction"), outcome, now()),
      ...(told ? decideStatuses(of("SegmentPolicy"), told.policies, now()) : []),
    ];
    await writeStandings(this.#means, actions, this.#term);
  }
}
