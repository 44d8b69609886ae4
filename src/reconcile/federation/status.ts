import { formatInstant, type Instant } from "../../domain/instant.ts";
import type { Json, PatchOperation } from "../../domain/json-patch.ts";
import { numberAt, type Raw, rawAt, textAt } from "../../wire/read-object.ts";
import { domainStatusPatch, said, type Said } from "../domain-status.ts";
import { type HeldBundle, isStale, livingRoots, type Standing } from "./standing.ts";

/** Why the bundle of a domain with an endpoint is not fetched at all. */
export type Unwanted = "NotNeeded" | "NotApproved" | "OwnDomain" | "NotInstalled";

/** The time of the last fetch is written at most so often: each write is a change that every replica reads. */
const TOLD_EVERY_MS = 600_000;

/** The JSON Patch that says on a federated TrustDomain where its bundle stands; undefined where it says so already. */
export function federationPatch(object: Raw, standing: Standing, now: Instant): readonly PatchOperation[] | undefined {
  const bundle = standing.held && told(rawAt(rawAt(object, "status"), "bundle"), standing.held);
  return domainStatusPatch(object, { bundle }, conditionsOf(standing, now), now);
}

/** The same where it is not fetched. What was said of a bundle before is taken away: nothing is published any more. */
export const unwantedPatch = (object: Raw, why: Unwanted, now: Instant): readonly PatchOperation[] | undefined =>
  domainStatusPatch(
    object,
    { bundle: undefined },
    [said("Fetched", false, why, UNWANTED[why]), said("Stale", false, why, "Nothing is published of it.")],
    now,
  );

/** What the condition says where nothing is fetched. */
export const UNWANTED: Readonly<Record<Unwanted, string>> = {
  NotNeeded: "No role in force federates with it, so its bundle is not fetched.",
  NotApproved: "No generation of it is approved, so its bundle is not fetched.",
  OwnDomain: "Its domain is our own, whose bundle is ours alone to publish.",
  NotInstalled: "Signet may not publish bundles of other domains here: install the component `federation`.",
};

function told(before: Raw, held: HeldBundle): Json {
  const { sequence, generation, refreshSeconds, roots, fetchedAt } = held;
  const ends = Math.max(...roots.map(({ notAfter }) => notAfter));
  const said = {
    ...(sequence === undefined ? {} : { sequence }),
    fingerprints: roots.map(({ fingerprint }) => fingerprint),
    generation,
    refreshSeconds,
    ...(roots.length === 0 ? {} : { notAfter: formatInstant(ends) }),
  };
  const last = Date.parse(textAt(before, "fetchedAt") ?? "");
  const recent = fetchedAt - last < TOLD_EVERY_MS && fetchedAt >= last && sameRoots(before, said);
  return { ...said, fetchedAt: recent ? formatInstant(last) : formatInstant(fetchedAt) };
}

type Told = { readonly sequence?: number; readonly fingerprints: readonly string[]; readonly generation: number };

const sameRoots = (before: Raw, { sequence, fingerprints, generation }: Told): boolean =>
  numberAt(before, "sequence") === sequence &&
  numberAt(before, "generation") === generation &&
  JSON.stringify(before["fingerprints"]) === JSON.stringify(fingerprints);

/** Fetched: whether the last look brought a bundle. Stale: whether what is published may lack roots that are in use. */
function conditionsOf({ held, failure }: Standing, now: Instant): readonly Said[] {
  const fetched = failure
    ? said("Fetched", false, failure.reason, `${failure.message} ${instead(held, now)}`)
    : held
      ? said("Fetched", true, "Fetched", contents(held, now))
      : said("Fetched", false, "NotYet", "It is about to be fetched for the first time.");
  return [fetched, staleness(held, now)];
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
