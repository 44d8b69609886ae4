import { hash } from "node:crypto";
import { problemLine } from "../domain/problem.ts";
import { type Known, nextBook, NO_REVOCATIONS } from "../reconcile/revocation/next-book.ts";
import { readRevocationBook, renderRevocationBook, type RevocationBook } from "../wire/revocation-book.ts";
import type { Issuer } from "./issuer.ts";
import { toPem } from "./pem.ts";
import type { Vault } from "./vault.ts";

/** What the lists stand on. */
export type ListParts = {
  /** Where replicas share what is on the lists. */
  readonly vault: Vault;
  /** Authorities whose certificates are trusted and whose keys are here, in their order. */
  readonly issuers: () => readonly Pick<Issuer, "facts" | "signList">[];
  /** Lists of those above them, DER: the roots'. */
  readonly above: () => readonly Buffer[];
};

/** All lists in force as one text, PEM, and a name for exactly this text. */
export type PublishedLists = { readonly pem: string; readonly tag: string };

/** Certificates begin so long before they are issued, for slow clocks; so do lists. */
const BACKDATE_MS = 120_000;
/** After that whoever checks by a list wants a newer one: without Signet for so long, no certificate of it holds either. */
const LIFE_MS = 24 * 3_600_000;

/**
 * The revocation lists of a trust domain, one for each authority that is trusted. What is on them is one book that all replicas
 * write, each what it has issued; so all sign the same lists.
 */
export class RevocationLists {
  readonly #parts: ListParts;
  #book: RevocationBook = NO_REVOCATIONS;
  #published: PublishedLists | undefined;
  #of = "";

  constructor(parts: ListParts) {
    this.#parts = parts;
  }

  /** Reads the book, writes what is missing or due, and signs anew where anything has changed. Rejects on faults. */
  async advance(known: Known): Promise<void> {
    const { text, version } = await this.#parts.vault.read();
    const read = text === undefined ? undefined : readRevocationBook(text);
    if (read && !read.ok) throw new Error(read.problems.map(problemLine).join("; "));
    const book = read?.value ?? NO_REVOCATIONS;
    const next = nextBook(book, known);
    // Where another replica was first, the next turn sees what it wrote.
    const written = next !== book && (await this.#parts.vault.write(renderRevocationBook(next), version));
    this.#book = written ? next : book;
    await this.#sign();
  }

  /** Undefined before there is any authority. */
  current(): PublishedLists | undefined {
    return this.#published;
  }

  async #sign(): Promise<void> {
    const issuers = this.#parts.issuers();
    const above = this.#parts.above();
    const { number, thisUpdate, revoked } = this.#book;
    const of = JSON.stringify([
      number,
      issuers.map(({ facts }) => facts.keyId),
      above.map((der) => hash("sha256", der)),
    ]);
    if (of === this.#of || issuers.length === 0 || number === 0) return;
    const lists = await Promise.all(
      issuers.map((issuer) =>
        issuer.signList({
          number,
          thisUpdate: Math.max(thisUpdate - BACKDATE_MS, issuer.facts.window.notBefore),
          nextUpdate: thisUpdate + LIFE_MS,
          revoked: revoked.filter(({ authority }) => authority === issuer.facts.keyId),
        }),
      ),
    );
    const pem = [...lists, ...above].map((der) => toPem("X509 CRL", der)).join("");
    this.#published = { pem, tag: hash("sha256", of).slice(0, 32) };
    this.#of = of;
  }
}
