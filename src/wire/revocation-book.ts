import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import type { Instant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";

/** One certificate on the revocation lists, and the Restriction that put it there. */
export type Revoked = {
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** Key identifier of the authority that signed it. */
  readonly authority: string;
  /** UID of the Restriction, or its name where it has none. */
  readonly by: string;
  readonly at: Instant;
  readonly notAfter: Instant;
  /** Whether it is quarantined: held back until further notice. */
  readonly held: boolean;
};

/** What is on the revocation lists of a trust domain, shared by its replicas. It holds no secrets. Whole seconds. */
export type RevocationBook = {
  /** Grows with every change. */
  readonly number: number;
  readonly thisUpdate: Instant;
  readonly revoked: readonly Revoked[];
};

const digits = Type.String({ pattern: "^[0-9a-f]{2,40}$" });
const seconds = Type.Integer({ minimum: 0 });
const closed = { additionalProperties: false };

/** What one Restriction brought at one moment stands together: a Secret holds a mebibyte, and a segment many certificates. */
const GROUP = Type.Object(
  {
    authority: digits,
    by: Type.String({ maxLength: 253 }),
    at: seconds,
    held: Type.Boolean(),
    certificates: Type.Array(Type.Tuple([digits, seconds])),
  },
  closed,
);

const KEPT = Type.Object(
  {
    version: Type.Enum(["signet.dev/revocations/v1"]),
    number: seconds,
    thisUpdate: seconds,
    groups: Type.Array(GROUP),
  },
  closed,
);

const checker = Compile(KEPT);

/** Reads a book whole. */
export function readRevocationBook(json: string): Result<RevocationBook> {
  try {
    const value: unknown = JSON.parse(json);
    if (checker.Check(value)) return ok(bookOf(value));
  } catch {
    // Falls through.
  }
  return refuse(
    "AUTHORITIES_UNREADABLE",
    "",
    "What is kept of the revocation lists cannot be read.",
    "Take it away: it is made anew from Restrictions and ledgers.",
  );
}

const bookOf = ({ number, thisUpdate, groups }: Static<typeof KEPT>): RevocationBook => ({
  number,
  thisUpdate: thisUpdate * 1000,
  revoked: groups.flatMap(({ certificates, at, ...group }) =>
    certificates.map(([serial, end]) => ({ ...group, serial, at: at * 1000, notAfter: end * 1000 })),
  ),
});

/** The book as JSON. */
export function renderRevocationBook({ number, thisUpdate, revoked }: RevocationBook): string {
  const groups = Map.groupBy(revoked, ({ authority, by, at, held }) => JSON.stringify([authority, by, at, held]));
  return JSON.stringify({
    version: "signet.dev/revocations/v1",
    number,
    thisUpdate: thisUpdate / 1000,
    groups: [...groups.values()].flatMap((group) => {
      const [first] = group;
      if (!first) return [];
      const { authority, by, at, held } = first;
      const certificates = group.map(({ serial, notAfter }): [string, number] => [serial, notAfter / 1000]);
      return [{ authority, by, at: at / 1000, held, certificates }];
    }),
  } satisfies Static<typeof KEPT>);
}
