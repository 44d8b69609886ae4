import { hash } from "node:crypto";
import type { Instant } from "../domain/instant.ts";

/** What is written down: a kind, what it is about, when, and a JSON text. */
export type Entry = {
  /** start, stop, gap, catalogue, verdict, issuance, approval: one word. */
  readonly kind: string;
  /** What it is about, for example `Pod shop/cart-1`. */
  readonly subject: string;
  readonly at: Instant;
  readonly body: string;
};

/** An entry in its place: number of its chain, place in that chain from 0 on, and the hash that closes it. */
export type LedgerRecord = Entry & { readonly chain: number; readonly seq: number; readonly hash: string };

/** The end of a chain: which one, its last place, and the hash there. */
export type Head = Pick<LedgerRecord, "chain" | "seq" | "hash">;

/** What stands in the place of a hash before the first record. */
export const NO_HASH = "0".repeat(64);

/**
 * The hash of a record: SHA-256 over the hash before it and every field. Lengths stand before the texts, so that no two
 * records have one form.
 */
export const hashOf = (before: string, { chain, seq }: Omit<Head, "hash">, entry: Entry): string =>
  hash(
    "sha256",
    `${before}${chain} ${seq} ${entry.at} ${entry.kind.length} ${entry.subject.length} ${entry.kind}${entry.subject}${entry.body}`,
  );

/** What the first record of a chain says: who writes it, and where the chain before it ended. */
export type StartBody = {
  readonly id: string;
  readonly version: string;
  readonly previous: Head | null;
  /** The key that signs the heads of this chain: Ed25519, SPKI in base64. */
  readonly key: string;
  /** Set where the file was not what its signed head said: where that head was, or null where there was no head to be read. */
  readonly lost?: Head | null;
};
