import type { Restriction, RestrictionTarget } from "../../domain/definitions.ts";
import type { Instant } from "../../domain/instant.ts";
import { SERIAL_NUMBER } from "../../identity/svid-plan.ts";
import type { RevocationBook, Revoked } from "../../wire/revocation-book.ts";

/** What a replica knows when it looks at the book. */
export type Known = {
  readonly now: Instant;
  readonly restrictions: readonly Restriction[];
  /** Certificates that this replica has issued, that a target names, and that have not ended. */
  readonly named: (target: RestrictionTarget) => readonly Named[];
  /** Authorities that sign lists, by their key identifiers, and when each ends. */
  readonly authorities: readonly { readonly id: string; readonly notAfter: Instant }[];
};

type Named = Pick<Revoked, "serial" | "authority" | "notAfter">;

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
 * The book as it should be, of now and no later instant: what each Restriction names is in it, what was lifted or has ended
 * is not. Gives the same book where there is nothing to write.
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

function missing(kept: readonly Revoked[], known: Known): readonly Revoked[] {
  const { now, restrictions, named } = known;
  const there = new Set(kept.map(placeOf));
  return restrictions.flatMap((restriction) =>
    [...named(restriction.target), ...unseen(restriction.target, known)].flatMap((each): Revoked[] => {
      if (there.has(placeOf(each))) return [];
      there.add(placeOf(each));
      const { serial, authority, notAfter } = each;
      const held = restriction.effect === "quarantine";
      return [{ serial, authority, by: idOf(restriction), at: wholeSeconds(now), notAfter, held }];
    }),
  );
}

const placeOf = ({ serial, authority }: Named): string => `${authority} ${serial}`;

/** A serial number needs no record: whichever authority gave it, it is on that one's list. */
const unseen = (target: RestrictionTarget, { authorities, now }: Known): readonly Named[] =>
  target.by === "serial" && SERIAL_NUMBER.test(target.name)
    ? authorities
        .filter(({ notAfter }) => notAfter > now)
        .map(({ id, notAfter }) => ({ serial: target.name, authority: id, notAfter }))
    : [];

const fitting = (revoked: readonly Revoked[]): readonly Revoked[] =>
  revoked.length <= MOST ? revoked : revoked.toSorted((a, b) => b.notAfter - a.notAfter).slice(0, MOST);
