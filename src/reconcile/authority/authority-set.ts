import type { Window } from "../../domain/certificate.ts";
import type { Instant } from "../../domain/instant.ts";

/**
 * Where an authority stands. prepared: it exists, and nobody trusts it yet. published: its root is in the bundle, and readers
 * are given time to have it. active: it signs. tainted: it signs no more, and what it signed is still trusted. revoked: its
 * root has left the bundle, and its key is gone.
 */
export type AuthorityState = "prepared" | "published" | "active" | "tainted" | "revoked";

/** One authority in the life of a trust domain: a root and the issuing authority below it. */
export type Authority = {
  /** Key identifier of the issuing authority. */
  readonly id: string;
  /** Key identifier of its root; with an offline root several authorities share one. */
  readonly root: string;
  readonly state: AuthorityState;
  /** Since when it stands there. */
  readonly since: Instant;
  /** When a writer knew that every place of publication had its root. */
  readonly publishedAt?: Instant;
  /** When the issuing authority's certificate holds. */
  readonly window: Window;
  /** Its chain was signed elsewhere, by a root whose key this server never had. */
  readonly offline?: true;
  /** Somebody said that its key is in wrong hands. */
  readonly compromised?: Compromise;
};

/**
 * Since when a key counts as stolen, and when its root leaves the bundle. renewed: when whoever renews in time has done so.
 * now: at once, whoever it breaks.
 */
export type Compromise = { readonly at: Instant; readonly remove: "renewed" | "now" };

/** All authorities of a trust domain, the oldest first, and what was decided about them. One document, written whole. */
export type AuthoritySet = {
  readonly authorities: readonly Authority[];
  /** Grows with every change of the bundle. */
  readonly sequence: number;
  /** While it is paused, nothing moves by itself. */
  readonly paused: boolean;
  /** Somebody asked for a new authority at that moment, and there is none yet. */
  readonly requestedAt?: Instant;
  /** A key of ours, by its identifier, that waits for a chain from an offline root. */
  readonly awaiting?: { readonly id: string; readonly since: Instant };
};

/** A trust domain that has no authority yet. */
export const NO_AUTHORITIES: AuthoritySet = { authorities: [], sequence: 0, paused: false };

/** States in which an authority's root is in the bundle. */
const IN_BUNDLE: readonly AuthorityState[] = ["published", "active", "tainted"];

/** Whether what an authority signed is trusted. */
export const isTrusted = ({ state }: Pick<Authority, "state">): boolean => IN_BUNDLE.includes(state);

/** Key identifiers of the roots in the bundle, each once. */
export const bundleRoots = ({ authorities }: AuthoritySet): readonly string[] => [
  ...new Set(authorities.filter(isTrusted).map(({ root }) => root)),
];

/** Where an authority stands, for whoever watches how long it stands there; a root that is published anew is watched anew. */
export const standingOf = ({ id, state, publishedAt }: Pick<Authority, "id" | "state" | "publishedAt">): string =>
  `${id} ${state} ${publishedAt === undefined}`;

/** The one authority that signs. */
export const activeOf = ({ authorities }: AuthoritySet): Authority | undefined =>
  authorities.find(({ state }) => state === "active");

/** The one that is to sign next. */
export const successorOf = ({ authorities }: AuthoritySet): Authority | undefined =>
  authorities.find(({ state }) => state === "prepared" || state === "published");
