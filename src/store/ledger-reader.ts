import { hash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Instant } from "../domain/instant.ts";
import type { LedgerRecord } from "./chain.ts";
import { ChainWalk, type Verification } from "./chain-walk.ts";
import { entriesOf, recordKinds } from "./groups.ts";
import { openLedgerDatabase } from "./ledger-database.ts";
import type { StoredSnapshot } from "./ledger-file.ts";
import { headPath, readHead, type SealedHead } from "./sealed-head.ts";

/** Which records are asked for; `kind` and `since` narrow. */
export type RecordFilter = { readonly kind?: string; readonly since?: Instant; readonly limit?: number };

/** A ledger that is read, also while a server writes it. */
export class LedgerReader {
  readonly #path: string;
  readonly #database: DatabaseSync;

  /** Throws where there is no ledger at the path. */
  constructor(path: string) {
    this.#path = path;
    this.#database = openLedgerDatabase(path, { readOnly: true });
    this.#database.prepare("SELECT id FROM records LIMIT 1").get();
  }

  /**
   * Recomputes every chain from its first record on, and every snapshot's digest, and holds them against the signed head: the
   * one beside the ledger, and another that was kept elsewhere.
   */
  verify(kept?: SealedHead): Verification {
    const heads = [readHead(headPath(this.#path)), ...(kept ? [kept] : [])];
    const walk = new ChainWalk(heads, (digest) => this.snapshot(digest) !== undefined);
    for (const row of this.#database.prepare("SELECT * FROM records ORDER BY id").iterate())
      if (!walk.step(row as unknown as LedgerRecord)) return walk.found();
    return walk.found(this.#brokenSnapshot());
  }

  #brokenSnapshot(): string | undefined {
    for (const row of this.#database.prepare("SELECT digest, text FROM snapshots").iterate()) {
      const { digest, text } = row as unknown as StoredSnapshot;
      if (hash("sha256", text) !== digest) return `snapshot ${digest.slice(0, 12)} is not what was stored`;
    }
    return undefined;
  }

  /** Records in the order in which they were written, those of a group one by one; with a limit the newest so many. */
  records(filter: RecordFilter): readonly LedgerRecord[] {
    const found: LedgerRecord[] = [];
    for (const record of this.#newestFirst(filter)) {
      if (found.length === filter.limit) break;
      found.push(record);
    }
    return found.toReversed();
  }

  /**
   * The newest verdict on an object at a moment. `subject` is `KIND NAMESPACE/NAME`; a record of a name that the API server
   * had still to choose (`web-7d9f-*`) counts for the names it could become, where there is none of the name itself.
   */
  lastVerdict(subject: string, at: Instant): LedgerRecord | undefined {
    const asked = subject.toLowerCase();
    let prefixed: LedgerRecord | undefined;
    for (const record of this.#newestFirst({ kind: "verdict" })) {
      if (record.at > at) continue;
      const about = record.subject.toLowerCase();
      if (about === asked) return record;
      if (about.endsWith("*") && asked.startsWith(about.slice(0, -1))) prefixed ??= record;
    }
    return prefixed;
  }

  *#newestFirst({ kind, since = 0 }: RecordFilter): Generator<LedgerRecord> {
    const kinds = kind === undefined ? [null, null] : recordKinds(kind);
    const rows = this.#database
      .prepare("SELECT * FROM records WHERE at >= ? AND (? IS NULL OR kind IN (?, ?)) ORDER BY id DESC")
      .iterate(since, kind ?? null, ...kinds);
    for (const row of rows)
      for (const record of entriesOf(row as unknown as LedgerRecord).toReversed()) if (record.at >= since) yield record;
  }

  /** The catalogue's text that was stored under a digest. */
  snapshot(digest: string): string | undefined {
    const row = this.#database.prepare("SELECT text FROM snapshots WHERE digest = ?").get(digest);
    return (row as StoredSnapshot | undefined)?.text;
  }

  close(): void {
    this.#database.close();
  }
}
