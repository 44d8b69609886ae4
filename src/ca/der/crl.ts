import type { Instant } from "../../domain/instant.ts";
import { authorityKeyIdentifier } from "./extensions.ts";
import { OID } from "./oids.ts";
import { explicit, integer, octetString, sequence, tagged, TAG, time } from "./write.ts";

/** One certificate on a revocation list. */
export type RevokedCertificate = {
  /** Lower-case hexadecimal. */
  readonly serial: string;
  /** Since when. */
  readonly at: Instant;
  /** Whether it is held back and may be taken off the list again by what put it there (RFC 5280 §5.3.1, certificateHold). */
  readonly held: boolean;
};

/** What a revocation list says. */
export type RevocationList = {
  /** Grows with every list of its issuer (RFC 5280 §5.2.3). */
  readonly number: number;
  readonly thisUpdate: Instant;
  /** Whoever checks by it wants a newer one from then on. */
  readonly nextUpdate: Instant;
  readonly revoked: readonly RevokedCertificate[];
};

/** Who signs a list: its subject, a Name in DER, and its key identifier in hexadecimal. */
type ListIssuer = { readonly subject: Uint8Array; readonly keyId: string };

const V2 = Buffer.from([2, 1, 1]);
const hold = sequence(sequence(OID.reasonCode, octetString(Buffer.from([0x0a, 1, 6]))));

/**
 * The part of a revocation list that is signed (RFC 5280 §5.1.2), in DER. An empty list has no list at all, and a reason that
 * says nothing is left out (§5.3.1).
 */
export function crlTbs({ number, revoked, ...list }: RevocationList, issuer: ListIssuer, algorithm: Buffer): Buffer {
  const entries = revoked.map(({ serial, at, held }) =>
    held ? sequence(integer(serial), time(at), hold) : sequence(integer(serial), time(at)),
  );
  const crlNumber = sequence(OID.crlNumber, octetString(integer(number.toString(16))));
  return sequence(
    V2,
    algorithm,
    issuer.subject,
    time(list.thisUpdate),
    time(list.nextUpdate),
    ...(entries.length > 0 ? [tagged(TAG.sequence, Buffer.concat(entries))] : []),
    explicit(0, sequence(authorityKeyIdentifier(Buffer.from(issuer.keyId, "hex")), crlNumber)),
  );
}
