import type { Raw } from "./read-object.ts";
import { isRaw, textAt } from "./read-object.ts";

/** A certificate that a step brings into being. */
export type NewCertificate = {
  readonly what: "root" | "issuing";
  /** Key identifier. */
  readonly id: string;
  /** SHA-256 of it in DER, hexadecimal. */
  readonly sha256: string;
};

/** One line of the ledger about a step of the authorities. It is written before the step is. */
export type AuthorityRecord = {
  readonly step: string;
  /** The authority that it concerns. */
  readonly id?: string;
  /** Where all stand after it. */
  readonly authorities: readonly { readonly id: string; readonly state: string }[];
  readonly sequence: number;
  readonly certificates: readonly NewCertificate[];
  /** Names of the keys for tokens that it takes away. */
  readonly tokenKeys?: readonly string[];
  /** Another writer was first: nothing came of it. */
  readonly lost?: true;
};

/** The record as JSON; the authority's id stands beside it in the ledger. */
export const renderAuthorityRecord = ({ id: _id, certificates, ...record }: AuthorityRecord): string =>
  JSON.stringify({ ...record, ...(certificates.length > 0 ? { certificates } : {}) });

/** The certificates that a record of this Signet's ledger names. The chain vouches for its contents. */
export function certificatesInRecord(body: string): readonly NewCertificate[] {
  const raw: unknown = JSON.parse(body);
  const list = isRaw(raw) ? raw["certificates"] : undefined;
  if (!Array.isArray(list)) return [];
  return list.filter(isRaw).flatMap(newCertificate);
}

function newCertificate(raw: Raw): readonly NewCertificate[] {
  const [what, id, sha256] = ["what", "id", "sha256"].map((key) => textAt(raw, key));
  const known = what === "root" || what === "issuing" ? what : undefined;
  return known && id !== undefined && sha256 !== undefined ? [{ what: known, id, sha256 }] : [];
}
