import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import { ok, refuse, type Result } from "../domain/problem.ts";

const text = Type.String({ maxLength: 65_536 });
const moment = Type.Integer({ minimum: 0 });
const closed = { additionalProperties: false };

const AUTHORITY = Type.Object(
  {
    id: text,
    root: text,
    state: Type.Enum(["prepared", "published", "active", "tainted", "revoked"]),
    since: moment,
    publishedAt: Type.Optional(moment),
    window: Type.Object({ notBefore: moment, notAfter: moment }, closed),
    offline: Type.Optional(Type.Literal(true)),
    compromised: Type.Optional(Type.Object({ at: moment, remove: Type.Enum(["renewed", "now"]) }, closed)),
  },
  closed,
);

const BOOK = Type.Object(
  {
    version: Type.Enum(["signet.dev/authorities/v1"]),
    trustDomain: text,
    set: Type.Object(
      {
        authorities: Type.Array(AUTHORITY, { maxItems: 16 }),
        sequence: Type.Integer({ minimum: 0 }),
        paused: Type.Boolean(),
        requestedAt: Type.Optional(moment),
        awaiting: Type.Optional(Type.Object({ id: text, since: moment }, closed)),
      },
      closed,
    ),
    /** By the authority's id. */
    material: Type.Record(
      Type.String({ pattern: "^[0-9a-f]{2,40}$" }),
      Type.Object(
        {
          /** DER in base64: the root, and what goes with a leaf, the issuing authority first. */
          root: text,
          /** The root's revocation list, DER in base64: it revokes nothing, and holds as long as the root. */
          rootList: Type.Optional(text),
          chain: Type.Array(text, { minItems: 1, maxItems: 4 }),
          /** PKCS#8 in PEM, or a `pkcs11:` URI without its PIN; gone when the authority is revoked. */
          key: Type.Optional(text),
        },
        closed,
      ),
    ),
    /** A key that waits for a chain from an offline root, and the request for it: PKCS#10 in DER, base64. */
    request: Type.Optional(Type.Object({ key: text, csr: text }, closed)),
  },
  closed,
);

/** What is kept of a trust domain's authorities: where each stands, its certificates, and its key or where that is. */
export type AuthorityBook = Static<typeof BOOK>;

const checker = Compile(BOOK);

/** Reads a book whole; refuses with AUTHORITIES_UNREADABLE. The text may hold keys, so no part of it is told. */
export function readAuthorityBook(json: string): Result<AuthorityBook> {
  try {
    const value: unknown = JSON.parse(json);
    if (checker.Check(value)) return ok(value);
  } catch {
    // Falls through: what is no JSON is no book either.
  }
  return refuse(
    "AUTHORITIES_UNREADABLE",
    "",
    "What is kept of the authorities cannot be read.",
    "Bring it back from a backup; `docs/runbooks/lost-authority.md` says what to do without one.",
  );
}

/** The book as JSON. It holds keys: whoever writes it must seal it, or know that its place is guarded. */
export const renderAuthorityBook = (book: AuthorityBook): string => JSON.stringify(book);
