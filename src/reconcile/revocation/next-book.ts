import type { Restriction, RestrictionTarget } from "../../domain/definitions.ts";
import type { Instant } from "../../domain/instant.ts";
import type { RevocationBook, Revoked } from "../../wire/revocation-book.ts";

/** What a replica knows when it looks at the book. */
export type Known = {
  readonly now: Instant;
  readonly restrictions: readonly Restriction[];
  /** Certificates that this replica has issued, that a target names, and that have not ended. */
  readonly named: (target: RestrictionTarget) => readonly Pick<Revoked, "serial" | "authority" | "notAfter">[];
};

/** A book that nobody has written yet. */
export const NO_REVOCATIONS: RevocationBook = { number: 0, thisUpdate: 0, revoked: [] };

/** How old a list may become before it is issued anew without any change. */
const REISSUE_MS = 3_600_000;
/** A certificate stays on the list for one more list after it has ended (RFC 5280 §3.3). */
const LINGER_MS = 2 * REISSUE_MS;
/** Another replica may have seen a Restriction that has not reached this one yet: what it has just written stays so long. */
const YOUNG_MS = 60_000;
/** Certificates on the lists at one time: of more, those that end first have to go. */
const MOST = 20_000;

/**
 * The book as it should be, of now and no later instant: what each Restriction names is in it, what was lifted or has ended is not. Gives the same book where
 * there is nothing to write.
 */
export function nextBook(book: RevocationBook, known: Known): RevocationBook {
  const { now, restrictions } = known;
  const standing = new Set(restrictions.map(idOf));
  const kept = book.revoked.filter(
    ({ by, at, notAfter }) => now < notAfter + LINGER_MS && (standing.has(by) || now < at + YOUNG_MS),
  );
  const revoked = fitting([...kept, ...missing(kept, known)]);
  const same = revoked.length === book.revoked.length && revoked.every((each, place) => each === book.revoked[place]);
  const inTime = now >= book.thisUpdate && now < book.thisUpdate + REISSUE_MS;
  if (same && book.number > 0 && inTime) return book;
  return { number: book.number + 1, thisUpdate: wholeSeconds(now), revoked };
}

/** What holds a Restriction apart from another of its name. */
const idOf = ({ uid, name }: Restriction): string => uid ?? name;

const wholeSeconds = (at: Instant): Instant => Math.floor(at / 1000) * 1000;

function missing(kept: readonly Revoked[], { now, restrictions, named }: Known): readonly Revoked[] {
  const there = new Set(kept.map(({ serial }) => serial));
  return restrictions.flatMap((restriction) =>
    named(restriction.target).flatMap(({ serial, authority, notAfter }): Revoked[] => {
      if (there.has(serial)) return [];
      there.add(serial);
      const held = restriction.effect === "quarantine";
      return [{ serial, authority, by: idOf(restriction), at: wholeSeconds(now), notAfter, held }];
    }),
  );
}

const fitting = (revoked: readonly Revoked[]): readonly Revoked[] =>
  revoked.length <= MOST ? revoked : revoked.toSorted((a, b) => b.notAfter - a.notAfter).slice(0, MOST);
