import { formatInstant, type Instant, parseInstant } from "../domain/instant.ts";
import type { ProblemCode } from "../domain/problem-codes.ts";
import { isRaw, type Raw, textAt } from "./read-object.ts";

/** What every record of a request for a certificate says. */
type Asked = {
  readonly at: Instant;
  /** By which door it came: rest, grpc, podCertificateRequest … */
  readonly door: string;
  /** Who called, as the door established it. */
  readonly caller: string;
  /** Whom the certificate was asked for: `Pod shop/cart-1`. */
  readonly subject: string;
};

/** A certificate as the ledger keeps it. No key stands in it, and no certificate but its digest. */
export type Issued = Asked & {
  readonly outcome: "issued";
  readonly serial: string;
  readonly spiffeId: string;
  readonly role: string;
  readonly segment: string;
  readonly keyType: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** Key identifier of the authority that signed. */
  readonly authority: string;
  /** SHA-256 of the certificate in DER, hexadecimal. */
  readonly sha256: string;
};

/** A refusal as the ledger keeps it. */
export type RefusedIssuance = Asked & {
  readonly outcome: "refused";
  readonly code: ProblemCode;
  readonly message: string;
};

/** One line of the ledger about a certificate that was asked for. */
export type IssuanceRecord = Issued | RefusedIssuance;

/** The record as JSON; who, when and about whom stand beside it in the ledger. */
export function renderIssuanceRecord({ at: _at, subject: _subject, ...record }: IssuanceRecord): string {
  if (record.outcome === "refused") return JSON.stringify(record);
  const { notBefore, notAfter, ...rest } = record;
  return JSON.stringify({ ...rest, notBefore: formatInstant(notBefore), notAfter: formatInstant(notAfter) });
}

/** What is read back of a certificate that was issued. */
export type ReadIssued = Pick<Issued, "caller" | "serial" | "spiffeId" | "role" | "segment" | "notAfter"> & {
  /** Empty where the record does not say it. */
  readonly authority: string;
};

/** Reads a record of this Signet's ledger; undefined for a refusal, or for what is no such record. The chain vouches for it. */
export function readIssued(body: string): ReadIssued | undefined {
  const raw = parsed(body);
  const [serial, spiffeId, role, segment, end] = ["serial", "spiffeId", "role", "segment", "notAfter"].map((key) =>
    textAt(raw, key),
  );
  const notAfter = end === undefined ? undefined : parseInstant(end, "notAfter");
  if (serial === undefined || spiffeId === undefined || role === undefined || segment === undefined) return undefined;
  const [caller = "", authority = ""] = ["caller", "authority"].map((key) => textAt(raw, key));
  return notAfter?.ok ? { caller, authority, serial, spiffeId, role, segment, notAfter: notAfter.value } : undefined;
}

function parsed(body: string): Raw {
  try {
    const value: unknown = JSON.parse(body);
    return isRaw(value) ? value : {};
  } catch {
    return {};
  }
}
