import type { Catalogue } from "../../../domain/catalogue.ts";
import { problemLine } from "../../../domain/problem.ts";
import { CATALOGUE_WATCHES, type LiveCatalogue } from "../../../kube/catalogue.ts";
import type { KubeClient } from "../../../kube/client.ts";
import type { Clock } from "../../../kube/clock.ts";
import type { EventRecorder } from "../../../kube/events.ts";
import type { Term } from "../../../kube/lease.ts";
import type { Log } from "../../../kube/log.ts";
import { reviewOwnAccess } from "../../../kube/reviews.ts";
import { federationEvent } from "../../../reconcile/federation/events.ts";
import {
  afterLook,
  type Failure,
  livingRoots,
  type Look,
  nextLookMs,
  type Standing,
} from "../../../reconcile/federation/standing.ts";
import { federationPatch, type Unwanted, unwantedPatch } from "../../../reconcile/federation/status.ts";
import { type FederatedDomain, federatedDomains, unwantedBecause } from "../../../reconcile/federation/wanted.ts";
import { SIGNERS } from "../../../wire/manifests/names.ts";
import { isRaw, numberAt, type Raw, rawAt, textAt } from "../../../wire/read-object.ts";
import { ForeignBundles } from "./bundle-store.ts";
import { figuresOf } from "./figures.ts";
import { lookAt } from "./look.ts";

/** What fetching and publishing the bundles of other domains stands on. */
export type FederationMeans = {
  readonly client: KubeClient;
  readonly live: () => Pick<LiveCatalogue, "current" | "objects">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly events: Pick<EventRecorder, "emit">;
  /** Counts what a look came to. */
  readonly count: (outcome: LookOutcome) => void;
  /** A look has ended: the next round comes at once. */
  readonly onLook: () => void;
};

/** The word of a condition for what a look came to. */
export type LookOutcome = Failure["reason"] | "Fetched";

type Tended = {
  readonly domain: FederatedDomain;
  standing: Standing;
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
  #bundles: ForeignBundles | undefined;
  #askAt = 0;

  constructor(means: FederationMeans, term: Term) {
    this.#means = means;
    this.#term = term;
  }

  /** One round: begins the looks that are due without waiting for them, publishes, and says on each TrustDomain how it stands. */
  async tend(): Promise<void> {
    const catalogue = this.#means.live().current();
    if (!catalogue) return;
    const objects = this.#objects();
    const bundles = await this.#ready();
    if (!bundles) return this.#tell(objects, catalogue, "NotInstalled");
    this.#take(federatedDomains(catalogue), objects, bundles);
    this.#look();
    await this.#tell(objects, catalogue);
    await this.#publish(bundles);
  }

  /** How the domains stand. */
  figures(): ReturnType<typeof figuresOf> {
    const all = [...this.#tended.values()].map(({ domain, standing }) => ({ name: domain.name, standing }));
    return figuresOf(all, this.#means.clock.wall());
  }

  /** TrustDomains of others that say where to fetch, by UID. */
  #objects(): ReadonlyMap<string, Raw> {
    const found = this.#means
      .live()
      .objects()
      .filter(
        ({ kind, name, raw }) =>
          kind === "TrustDomain" && name !== "local" && isRaw(raw["spec"]) && isRaw(raw["spec"]["bundleEndpoint"]),
      );
    return new Map(found.map(({ raw }) => [textAt(rawAt(raw, "metadata"), "uid") ?? "", raw]));
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
      const standing = before?.standing ?? leftStanding(domain, objects.get(domain.uid), bundles);
      this.#tended.set(domain.uid, Object.assign(before ?? { busy: false, nextAt: 0 }, { domain, standing }));
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
    const look = await lookAt(domain, one.standing.held, this.#term.signal);
    one.busy = false;
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
    const object = this.#objects().get(domain.uid);
    const event = object && federationEvent(object, before, one.standing);
    if (event) events.emit(event);
    onLook();
  }

  async #publish(bundles: ForeignBundles): Promise<void> {
    if (!this.#term.valid()) return;
    const now = this.#means.clock.wall();
    const foreign = [...this.#tended.values()].map(({ domain, standing }) => {
      const pem = livingRoots(standing.held, now)
        .map((root) => root.pem)
        .join("");
      return [domain.name, pem] as const;
    });
    const refused = await bundles.publish(new Map(foreign.filter(([, pem]) => pem !== "")));
    for (const one of this.#tended.values()) {
      const message = refused.get(one.domain.name);
      if (message !== undefined) one.standing = { ...one.standing, failure: { reason: "NotPublished", message } };
      else if (one.standing.failure?.reason === "NotPublished") one.standing = withoutFailure(one.standing);
    }
  }

  async #tell(objects: ReadonlyMap<string, Raw>, catalogue: Catalogue, why?: Unwanted): Promise<void> {
    const now = this.#means.clock.wall();
    for (const [uid, object] of objects) {
      const tended = this.#tended.get(uid);
      const patch = tended
        ? federationPatch(object, tended.standing, now)
        : unwantedPatch(object, why ?? unwantedBecause(catalogue, uid), now);
      if (patch) await this.#write(object, patch);
    }
  }

  /** One that changed since it was seen is left for the next round. */
  async #write(object: Raw, body: readonly unknown[]): Promise<void> {
    const { client, log } = this.#means;
    const resource = CATALOGUE_WATCHES.find(({ resource: { kind } }) => kind === "TrustDomain")?.resource;
    const name = textAt(rawAt(object, "metadata"), "name") ?? "";
    if (!resource || !this.#term.valid()) return;
    const done = await client.patch(resource, { name }, { type: "json", body }, { subresource: "status" });
    if (!done.ok) log.debug({ reason: done.problems.map(problemLine) }, "A status was not written.");
  }
}

const withoutFailure = ({ failure: _, ...standing }: Standing): Standing => standing;

/** Where the term before left a domain: what it published, and what it said of that on the TrustDomain. */
function leftStanding({ name, domain }: FederatedDomain, object: Raw | undefined, bundles: ForeignBundles): Standing {
  const bundle = rawAt(rawAt(object ?? {}, "status"), "bundle");
  const fetchedAt = Date.parse(textAt(bundle, "fetchedAt") ?? "");
  const roots = bundles.published(name, domain);
  if (Number.isNaN(fetchedAt) || roots.length === 0) return { failures: 0 };
  const sequence = numberAt(bundle, "sequence");
  const held = {
    roots,
    refreshSeconds: numberAt(bundle, "refreshSeconds") ?? 1,
    generation: numberAt(bundle, "generation") ?? 0,
    fetchedAt,
    ...(sequence === undefined ? {} : { sequence }),
  };
  return { held, failures: 0 };
}
