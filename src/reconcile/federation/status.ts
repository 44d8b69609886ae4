import { formatInstant, type Instant } from "../../domain/instant.ts";
import type { Json, PatchOperation } from "../../domain/json-patch.ts";
import { numberAt, type Raw, rawAt, textAt } from "../../wire/read-object.ts";
import { stillPublished } from "./events.ts";
import { domainStatusPatch, said, type Said } from "../domain-status.ts";
import { type ForeignRoot, type HeldBundle, isStale, livingRoots, refreshSeconds, type Standing } from "./standing.ts";

/** Why the bundle of a domain with an endpoint is not fetched at all. */
export type Unwanted = "NotNeeded" | "NotApproved" | "OwnDomain" | "NotInstalled";

/** The time of the last fetch is written at most so often: each write is a change that every replica reads. */
const TOLD_EVERY_MS = 600_000;

/** The JSON Patch that says on a federated TrustDomain where its bundle stands; undefined where it says so already. */
export function federationPatch(object: Raw, standing: Standing, now: Instant): readonly PatchOperation[] | undefined {
  const bundle = standing.held && told(bundleOf(object), standing.held, now);
  return domainStatusPatch(object, { bundle }, conditionsOf(standing, now), now);
}

/**
 * The same where it is not fetched. Of the bundle before stays by which generation it came, and its number, so that nothing
 * older is believed if it is wanted again; without the component nobody knows what is published, and nothing is taken back.
 * `keptBy`: why what was published could not be taken away.
 */
export const unwantedPatch = (
  object: Raw,
  why: Unwanted,
  now: Instant,
  keptBy?: string,
): readonly PatchOperation[] | undefined =>
  domainStatusPatch(
    object,
    why === "NotInstalled" ? {} : { bundle: remembered(bundleOf(object)) },
    [
      said("Fetched", false, why, UNWANTED[why]),
      keptBy === undefined
        ? said("Stale", false, why, why === "NotInstalled" ? UNSEEN : "Nothing is published of it.")
        : said("Stale", true, "NotDeleted", stillPublished(keptBy)),
    ],
    now,
  );

const UNSEEN = "What was published of it before is not seen from here, and stays as it is.";

/** What the condition says where nothing is fetched. */
export const UNWANTED: Readonly<Record<Unwanted, string>> = {
  NotNeeded: "No role in force federates with it, so its bundle is not fetched.",
  NotApproved: "No generation of it is approved, so its bundle is not fetched.",
  OwnDomain: "Its domain is our own, whose bundle is ours alone to publish.",
  NotInstalled: "Signet may not publish bundles of other domains here: install the component `federation`.",
};

/** What is published of a domain, and since when at the earliest. */
export type Published = { readonly roots: readonly ForeignRoot[]; readonly since: Instant };

/**
 * Where the term before left a domain: what it published, and what it said of that on the TrustDomain. Whatever is published
 * stays. It counts for a generation only where the TrustDomain names the same authorities, or where none is left.
 */
export function leftStanding(object: Raw | undefined, { roots, since }: Published): Standing {
  const bundle = bundleOf(object ?? {});
  const come = cameBy(bundle, roots);
  if (!come && roots.length === 0) return { failures: 0, left: true };
  const fetchedAt = Date.parse(textAt(bundle, "fetchedAt") ?? "");
  const held = {
    roots,
    refreshSeconds: refreshSeconds(numberAt(bundle, "refreshSeconds")),
    fetchedAt: Number.isNaN(fetchedAt) ? since : fetchedAt,
    ...come,
  };
  return { held, failures: 0, left: true };
}

/** By which generation these roots came, and with which number. */
function cameBy(
  bundle: Raw,
  roots: readonly ForeignRoot[],
): { readonly generation: number; readonly sequence?: number } | undefined {
  const [generation, sequence] = [numberAt(bundle, "generation"), numberAt(bundle, "sequence")];
  if (generation === undefined || (roots.length > 0 && !namesAll(bundle["fingerprints"], roots))) return undefined;
  return { generation, ...(sequence === undefined ? {} : { sequence }) };
}

function namesAll(fingerprints: unknown, roots: readonly ForeignRoot[]): boolean {
  const named = new Set<unknown>(Array.isArray(fingerprints) ? fingerprints : []);
  return named.size === roots.length && roots.every(({ fingerprint }) => named.has(fingerprint));
}

const bundleOf = (object: Raw): Raw => rawAt(rawAt(object, "status"), "bundle");

function remembered(bundle: Raw): Json | undefined {
  const generation = numberAt(bundle, "generation");
  if (generation === undefined) return undefined;
  const sequence = numberAt(bundle, "sequence");
  const fetchedAt = textAt(bundle, "fetchedAt");
  return {
    ...(sequence === undefined ? {} : { sequence }),
    fingerprints: [],
    generation,
    ...(fetchedAt === undefined ? {} : { fetchedAt }),
  };
}

function told(before: Raw, held: HeldBundle, now: Instant): Json {
  const { sequence, generation, refreshSeconds, fetchedAt } = held;
  const roots = livingRoots(held, now);
  const ends = Math.max(...roots.map(({ notAfter }) => notAfter));
  const said = {
    ...(sequence === undefined ? {} : { sequence }),
    fingerprints: roots.map(({ fingerprint }) => fingerprint),
    ...(generation === undefined ? {} : { generation }),
    refreshSeconds,
    ...(roots.length === 0 ? {} : { notAfter: formatInstant(ends) }),
  };
  const last = Date.parse(textAt(before, "fetchedAt") ?? "");
  const recent = fetchedAt - last < TOLD_EVERY_MS && fetchedAt >= last && sameRoots(before, said);
  return { ...said, fetchedAt: recent ? formatInstant(last) : formatInstant(fetchedAt) };
}

type Told = { readonly sequence?: number; readonly fingerprints: readonly string[]; readonly generation?: number };

const sameRoots = (before: Raw, { sequence, fingerprints, generation }: Told): boolean =>
  numberAt(before, "sequence") === sequence &&
  numberAt(before, "generation") === generation &&
  JSON.stringify(before["fingerprints"]) === JSON.stringify(fingerprints);

/** Fetched: whether the last look brought a bundle. Stale: whether what is published may lack roots that are in use. */
function conditionsOf({ held, failure, left }: Standing, now: Instant): readonly Said[] {
  const awaited = left && livingRoots(held, now).length === 0;
  const fetched = failure
    ? said("Fetched", false, failure.reason, `${failure.message} ${instead(held, now)}`)
    : held && !awaited
      ? said("Fetched", true, "Fetched", contents(held, now))
      : said("Fetched", false, "NotYet", "It is about to be fetched for the first time.");
  return [fetched, staleness(awaited ? undefined : held, now)];
}

const instead = (held: HeldBundle | undefined, now: Instant): string =>
  livingRoots(held, now).length === 0
    ? "Nothing is published of this domain."
    : `The bundle of ${formatInstant(held?.fetchedAt ?? now)} stays.`;

function contents({ roots, refreshSeconds }: HeldBundle, now: Instant): string {
  const living = roots.filter(({ notAfter }) => now <= notAfter).length;
  if (living === 0) return "The bundle has no authority whose time is not over: nobody of this domain is believed.";
  return `${living === 1 ? "1 authority is" : `${living} authorities are`} published; it is fetched every ${refreshSeconds} s.`;
}

function staleness(held: HeldBundle | undefined, now: Instant): Said {
  if (!held) return said("Stale", false, "NoBundle", "Nothing is published of it.");
  return isStale(held, now)
    ? said(
        "Stale",
        true,
        "NotRefreshed",
        `No bundle came since ${formatInstant(held.fetchedAt)}: it may lack authorities that sign by now.`,
      )
    : said("Stale", false, "Refreshed", "It is as new as the domain asks for.");
}
