import type { Instant } from "../domain/instant.ts";

/** An authority of serving certificates, by its fingerprint. */
export type ServingAuthority = { readonly id: string; readonly notBefore: Instant; readonly notAfter: Instant };

/** Where the rollover of the authority stands; kept in the Secret that replicas share, so that it outlives any of them. */
export type ServingState = {
  /** Oldest first: one, or two while one takes over from the other. */
  readonly authorities: readonly ServingAuthority[];
  /** Whose leaves are served. */
  readonly signer: string;
  /** Since when both webhook configurations were seen to carry both authorities. */
  readonly publishedAt?: Instant;
  /** Since when leaves come from the newer one. */
  readonly switchedAt?: Instant;
  /** Since when a call through the API server is known to have met a leaf of the newer one and trusted it. */
  readonly provenAt?: Instant;
  /** When a newer one was last given up because no call trusted it. */
  readonly abandonedAt?: Instant;
};

/** How long things take, in milliseconds. */
export type ServingTerms = {
  /** Longest life of a leaf. */
  readonly leafMs: number;
  /** How long every API server may take to see a changed webhook configuration (informer lag). */
  readonly settleMs: number;
  /** How long every replica may take to see that another authority signs, and to serve a leaf of it. */
  readonly takeOverMs: number;
};

/** All that the next step hangs on. */
export type ServingView = {
  /** Absent: no authority was ever made. */
  readonly state?: ServingState;
  /** What each webhook entry of both configurations carries in `caBundle`, as fingerprints; what is not ours is "unknown". */
  readonly published: readonly (readonly string[])[];
  /** Somebody asked for another authority, whatever the age of this one. */
  readonly asked: boolean;
  readonly now: Instant;
  readonly terms: ServingTerms;
};

/** What is to be done next. Each step may be done twice, and a crash before, in or after it loses nothing. */
export type ServingStep =
  | { readonly do: "found"; readonly why: string }
  | { readonly do: "prepare"; readonly why: string }
  /** Writes the bundle into every entry that differs; `again` takes back first that it was settled. */
  | { readonly do: "publish"; readonly bundle: readonly string[]; readonly again: boolean; readonly why: string }
  | { readonly do: "settle"; readonly why: string }
  /** Asks through the API server whether its calls still arrive, and only then lets the newer one sign. */
  | { readonly do: "switch"; readonly to: string; readonly why: string }
  /** Asks through the API server whether calls are answered by leaves of the newer one; `last` if it is given up otherwise. */
  | { readonly do: "prove"; readonly last: boolean; readonly why: string }
  | { readonly do: "drop"; readonly authority: string; readonly why: string }
  | { readonly do: "wait"; readonly until: Instant };

/** Clocks of replicas differ, and one may have signed a leaf just before it saw the switch. */
const marginOf = ({ leafMs }: ServingTerms): number => Math.min(5 * 60_000, leafMs / 4);

/**
 * The next step of the serving authority's life. The order is what keeps every call trusted: a leaf is only ever signed by
 * an authority that every API server has had time to learn, and an authority leaves only when its last leaf has ended.
 */
export function nextServingStep(view: ServingView): ServingStep {
  const { state, published, now } = view;
  if (!state) return { do: "found", why: "there is no authority yet" };
  const bundle = state.authorities.map(({ id }) => id);
  const [first, second] = state.authorities;
  if (!second && first && isDue(first, view)) return { do: "prepare", why: whyDue(view) };
  if (published.some((each) => !sameList(each, bundle)))
    return { do: "publish", bundle, again: isSettling(state), why: "a webhook entry carries another bundle" };
  if (first && second) return rollover(state, first, second, view);
  const againAt = (state.abandonedAt ?? -Infinity) + view.terms.leafMs;
  return { do: "wait", until: first ? Math.max(halfLife(first), againAt) : now };
}

function rollover(
  { signer, publishedAt, switchedAt, provenAt }: ServingState,
  older: ServingAuthority,
  newer: ServingAuthority,
  { now, terms }: ServingView,
): ServingStep {
  if (signer !== newer.id) {
    if (publishedAt === undefined) return { do: "settle", why: "both configurations carry both authorities" };
    const settled = publishedAt + terms.settleMs;
    if (now < settled) return { do: "wait", until: settled };
    return { do: "switch", to: newer.id, why: "every API server has had time to learn the newer authority" };
  }
  if (provenAt === undefined) return proof(switchedAt ?? now, now, terms);
  const ended = Math.min((switchedAt ?? now) + terms.leafMs + marginOf(terms), Math.max(older.notAfter, now));
  if (now < ended) return { do: "wait", until: ended };
  return { do: "drop", authority: older.id, why: "its last leaf has ended" };
}

/** Once every replica had time to take over, calls must be trusted; if none is for as long as a bundle settles, it is over. */
function proof(switchedAt: Instant, now: Instant, { takeOverMs, settleMs }: ServingTerms): ServingStep {
  const begins = switchedAt + takeOverMs;
  if (now < begins) return { do: "wait", until: begins };
  return { do: "prove", last: now >= begins + settleMs, why: "every replica has had time to take over" };
}

const isSettling = ({ signer, publishedAt, authorities }: ServingState): boolean =>
  publishedAt !== undefined && signer !== authorities.at(-1)?.id;

/** One that was given up is not tried again before a leaf's life has passed, unless somebody asks. */
const isDue = (authority: ServingAuthority, { state, now, asked, terms }: ServingView): boolean =>
  asked || now >= Math.max(halfLife(authority), (state?.abandonedAt ?? -Infinity) + terms.leafMs);

const whyDue = ({ asked }: ServingView): string =>
  asked ? "another authority was asked for" : "half of the authority's life is over";

const halfLife = ({ notBefore, notAfter }: ServingAuthority): Instant => (notBefore + notAfter) / 2;

const sameList = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each, index) => each === b[index]);
