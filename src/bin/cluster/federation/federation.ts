import type { Catalogue } from "../../../domain/catalogue.ts";
import { problemLine } from "../../../domain/problem.ts";
import { CATALOGUE_WATCHES, type LiveCatalogue } from "../../../kube/catalogue.ts";
import type { KubeClient } from "../../../kube/client.ts";
import type { Clock } from "../../../kube/clock.ts";
import type { EventRecorder } from "../../../kube/events.ts";
import type { Term } from "../../../kube/lease.ts";
import { type Log, reasonOf } from "../../../kube/log.ts";
import { reviewOwnAccess } from "../../../kube/reviews.ts";
import { federationEvent, refusedEvent } from "../../../reconcile/federation/events.ts";
import {
  afterLook,
  type Failure,
  type HeldBundle,
  livingRoots,
  type Look,
  nextLookMs,
  type Standing,
} from "../../../reconcile/federation/standing.ts";
import { federationPatch, leftStanding, type Unwanted, unwantedPatch } from "../../../reconcile/federation/status.ts";
import { type FederatedDomain, federatedDomains, unwantedBecause } from "../../../reconcile/federation/wanted.ts";
import { SIGNERS } from "../../../wire/manifests/names.ts";
import { isRaw, type Raw, rawAt, textAt } from "../../../wire/read-object.ts";
import { ForeignBundles, type Refused } from "./bundle-store.ts";
import { figuresOf } from "./figures.ts";
import type { lookAt } from "./look.ts";
import { Refusals } from "./refusals.ts";

/** What fetching and publishing the bundles of other domains stands on. */
export type FederationMeans = {
  readonly client: KubeClient;
  readonly live: () => Pick<LiveCatalogue, "current" | "objects">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly events: Pick<EventRecorder, "emit">;
  readonly lookAt: typeof lookAt;
  /** Counts what a look came to. */
  readonly count: (outcome: LookOutcome) => void;
  /** A look has ended: the next round comes at once. */
  readonly onLook: () => void;
};

/** The word of a condition for what a look came to. */
export type LookOutcome = Failure["reason"] | "Fetched";

type Tended = {
  domain: FederatedDomain;
  standing: Standing;
  /** The bundle that the API server has: an older one than that of `standing` where it did not take that. */
  published: HeldBundle | undefined;
  /** Why it did not. */
  refused?: string | undefined;
  busy: boolean;
  /** By the monotonic clock. */
  nextAt: number;
  /** Generation that the last look went by. */
  looked?: number;
};

const ATTEST = { verb: "attest", group: "certificates.k8s.io", resource: "signers", name: SIGNERS } as const;
/** How often it is asked again whether bundles may be published, and what is published. */
const ASK_MS = 10_000;
const REFRESH_MS = 60_000;
const MOST_AT_ONCE = 8;

/**
 * The bundles of other trust domains during one term: fetched as often as each domain asks for, published each under a name of
 * its own, and said on its TrustDomain. What was published before is where it goes on from.
 */
export class Federation {
  readonly #means: FederationMeans;
  readonly #term: Term;
  readonly #tended = new Map<string, Tended>();
  readonly #refusals: Refusals;
  #bundles: ForeignBundles | undefined;
  #askAt = 0;

  constructor(means: FederationMeans, term: Term) {
    this.#means = means;
    this.#term = term;
    this.#refusals = new Refusals(means.random);
  }

  /** One round: begins the looks that are due without waiting for them, publishes, and says on each TrustDomain how it stands. */
  async tend(): Promise<void> {
    const catalogue = this.#means.live().current();
    if (!catalogue) return;
    const wanted = federatedDomains(catalogue);
    const objects = this.#objects(new Set(wanted.map(({ uid }) => uid)));
    const bundles = await this.#ready();
    if (!bundles) return this.#tell(objects, catalogue, "NotInstalled");
    this.#take(wanted, objects, bundles);
    this.#look();
    await this.#publish(bundles);
    await this.#tell(objects, catalogue);
  }

  /** How the domains stand. */
  figures(): ReturnType<typeof figuresOf> {
    const all = [...this.#tended.values()].map((one) => ({ name: one.domain.name, standing: toldOf(one) }));
    return figuresOf(all, this.#means.clock.wall());
  }

  /** TrustDomains of others by UID: those that are wanted, whatever an edit made of them, and those that say where to fetch. */
  #objects(wanted: ReadonlySet<string>): ReadonlyMap<string, Raw> {
    const found = this.#means
      .live()
      .objects()
      .filter(({ kind, name }) => kind === "TrustDomain" && name !== "local")
      .map(({ raw }) => [textAt(rawAt(raw, "metadata"), "uid") ?? "", raw] as const);
    return new Map(found.filter(([uid, raw]) => wanted.has(uid) || isRaw(rawAt(raw, "spec")["bundleEndpoint"])));
  }

  /** What is published, where the component `federation` lets us publish. */
  async #ready(): Promise<ForeignBundles | undefined> {
    const { client, clock } = this.#means;
    if (clock.monotonic() < this.#askAt) return this.#bundles;
    this.#askAt = clock.monotonic() + ASK_MS;
    if (this.#bundles) {
      this.#askAt = clock.monotonic() + REFRESH_MS;
      await this.#bundles.refresh();
    } else if (await reviewOwnAccess(client, ATTEST)) this.#bundles = await ForeignBundles.read(client);
    return this.#bundles;
  }

  /** Takes up what is wanted, from where the last term left it; lets go of what is not. */
  #take(wanted: readonly FederatedDomain[], objects: ReadonlyMap<string, Raw>, bundles: ForeignBundles): void {
    const uids = new Set(wanted.map(({ uid }) => uid));
    for (const uid of this.#tended.keys()) if (!uids.has(uid)) this.#tended.delete(uid);
    for (const domain of wanted) {
      const before = this.#tended.get(domain.uid);
      if (before) before.domain = domain;
      else this.#tended.set(domain.uid, taken(domain, objects.get(domain.uid), bundles));
    }
  }

  #look(): void {
    const all = [...this.#tended.values()];
    const now = this.#means.clock.monotonic();
    const due = all.filter((one) => !one.busy && (now >= one.nextAt || one.looked !== one.domain.generation));
    const room = MOST_AT_ONCE - all.filter(({ busy }) => busy).length;
    for (const one of due.slice(0, Math.max(0, room))) void this.#lookAt(one);
  }

  async #lookAt(one: Tended): Promise<void> {
    const { domain } = one;
    one.busy = true;
    one.looked = domain.generation;
    const look = await this.#means
      .lookAt(domain, one.standing.held, this.#term.signal)
      .catch((fault: unknown): Look => ({ got: "nothing", failure: { reason: "Refused", message: reasonOf(fault) } }))
      .finally(() => (one.busy = false));
    if (this.#term.valid()) this.#took(one, domain, look);
  }

  #took(one: Tended, domain: FederatedDomain, look: Look): void {
    const { clock, random, events, log, onLook } = this.#means;
    const before = one.standing;
    one.standing = afterLook(before, look, domain.generation, clock.wall());
    one.nextAt = clock.monotonic() + nextLookMs(one.standing, random());
    const { failure } = one.standing;
    this.#means.count(failure?.reason ?? "Fetched");
    if (failure)
      log.warn({ trustDomain: domain.name, reason: failure.message }, "A bundle was not fetched; the last one stays.");
    const object = this.#objects(new Set([domain.uid])).get(domain.uid);
    const event = object && federationEvent(object, before, one.standing);
    if (event) events.emit(event);
    onLook();
  }

  async #publish(bundles: ForeignBundles): Promise<void> {
    if (!this.#term.valid()) return;
    const now = this.#means.clock.wall();
    const due = [...this.#tended.values()].map((one) => {
      const { held, left } = one.standing;
      const pem = livingRoots(held, now)
        .map((root) => root.pem)
        .join("");
      return { one, name: one.domain.name, held, pem, awaited: left === true && pem === "" };
    });
    const foreign = new Map(due.flatMap(({ name, pem }) => (pem === "" ? [] : [[name, pem]])));
    const awaited = new Set(due.flatMap((each) => (each.awaited ? [each.name] : [])));
    const waiting = this.#refusals.waiting(this.#means.clock.monotonic());
    const tried = await bundles.publish(foreign, awaited, waiting);
    for (const [name, why] of this.#refusals.note(tried, this.#means.clock.monotonic())) this.#sayRefused(name, why);
    for (const { one, name, held } of due) {
      one.refused = this.#refusals.of(name)?.reason;
      if (one.refused === undefined) one.published = held;
    }
  }

  #sayRefused(name: string, { did, reason }: Refused): void {
    const { log, events, live } = this.#means;
    log.warn(
      { trustDomain: name, did, reason },
      "A bundle stays as it was: the API server refuses; it is tried again.",
    );
    const found = live()
      .objects()
      .find((one) => one.kind === "TrustDomain" && one.name === name);
    if (found) events.emit(refusedEvent(found.raw, did, reason));
  }

  async #tell(objects: ReadonlyMap<string, Raw>, catalogue: Catalogue, why?: Unwanted): Promise<void> {
    const now = this.#means.clock.wall();
    for (const [uid, object] of objects) {
      const tended = this.#tended.get(uid);
      const patch = tended
        ? federationPatch(object, toldOf(tended), now)
        : unwantedPatch(object, why ?? unwantedBecause(catalogue, uid), now, this.#keptBy(object));
      if (patch) await this.#write(object, patch);
    }
  }

  /** Why the bundle of a domain that is not wanted is published still. */
  #keptBy(object: Raw): string | undefined {
    const refused = this.#refusals.of(textAt(rawAt(object, "metadata"), "name") ?? "");
    return refused?.did === "delete" ? refused.reason : undefined;
  }

  /** One that changed since it was seen, or that the API server does not take, is left for the next round. */
  async #write(object: Raw, body: readonly unknown[]): Promise<void> {
    const { client, log } = this.#means;
    const resource = CATALOGUE_WATCHES.find(({ resource: { kind } }) => kind === "TrustDomain")?.resource;
    const name = textAt(rawAt(object, "metadata"), "name") ?? "";
    if (!resource || !this.#term.valid()) return;
    const reason = await client
      .patch(resource, { name }, { type: "json", body }, { subresource: "status" })
      .then((done) => (done.ok ? undefined : done.problems.map(problemLine)), reasonOf);
    if (reason !== undefined) log.debug({ trustDomain: name, reason }, "A status was not written.");
  }
}

function taken(domain: FederatedDomain, object: Raw | undefined, bundles: ForeignBundles): Tended {
  const standing = leftStanding(object, bundles.published(domain.name, domain.domain));
  return { domain, standing, published: standing.held, busy: false, nextAt: 0 };
}

/** How a domain stands to whoever reads: of its bundle what is published, and what keeps a newer one from that. */
function toldOf({ standing: { held: _, ...standing }, published, refused }: Tended): Standing {
  const failure = refused === undefined ? undefined : ({ reason: "NotPublished", message: refused } as const);
  return { ...standing, ...(published ? { held: published } : {}), ...(failure ? { failure } : {}) };
}
