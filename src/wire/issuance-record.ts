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
  /** UID of the Pod that it is for, the node that one runs on, and its virtual machine, as far as the door knows them. */
  readonly pod?: string;
  readonly node?: string;
  readonly virtualMachine?: string;
  /** Revision of the catalogue that decided; absent where the door refused before it was asked. */
  readonly revision?: string;
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

/** A line of the ledger: its body, and what stands beside it. */
export type IssuanceLine = { readonly at: Instant; readonly subject: string; readonly body: string };

const TEXTS = ["door", "caller", "serial", "spiffeId", "role", "segment", "keyType", "authority", "sha256"] as const;
const PLACE = ["pod", "node", "virtualMachine", "revision"] as const;

/** Reads a record of this Signet's ledger back; undefined for what is none. The chain vouches for its contents. */
export function readIssuanceRecord({ at, subject, body }: IssuanceLine): IssuanceRecord | undefined {
  const raw = parsed(body);
  const text = (key: string): string => textAt(raw, key) ?? "";
  const place = Object.fromEntries(PLACE.flatMap((key) => (text(key) === "" ? [] : [[key, text(key)]])));
  const asked = { at, subject, ...place };
  if (raw["outcome"] === "refused") {
    const [door, caller, message] = [text("door"), text("caller"), text("message")];
    return { ...asked, door, caller, outcome: "refused", code: text("code") as ProblemCode, message };
  }
  const [notBefore, notAfter] = ["notBefore", "notAfter"].map((key) => parseInstant(text(key), key));
  if (raw["outcome"] !== "issued" || !notBefore?.ok || !notAfter?.ok || text("serial") === "") return undefined;
  const texts = Object.fromEntries(TEXTS.map((key) => [key, text(key)])) as Record<(typeof TEXTS)[number], string>;
  return { ...asked, ...texts, outcome: "issued", notBefore: notBefore.value, notAfter: notAfter.value };
}

function parsed(body: string): Raw {
  try {
    const value: unknown = JSON.parse(body);
    return isRaw(value) ? value : {};
  } catch {
    return {};
  }
}
