import type { DatabaseSync } from "node:sqlite";
import type { Head, LedgerRecord, StartBody } from "../chain.ts";
import { openLedgerDatabase } from "../ledger-database.ts";
import type { StoredSnapshot } from "../ledger-file.ts";
import { headPath, readHead, type SealedHead } from "../sealed-head.ts";

/** A record, and its number in the file: these have no gaps. */
export type NumberedRecord = LedgerRecord & { readonly id: number };

/** The local file as whoever copies it reads it, while a server writes it. */
export class LocalLedger {
  readonly #path: string;
  readonly #database: DatabaseSync;
  /** Names this file among all: what its very first start called itself. */
  readonly id: string;

  /** Throws where there is no ledger. */
  constructor(path: string) {
    this.#path = path;
    this.#database = openLedgerDatabase(path, { readOnly: true });
    const first = this.#database.prepare("SELECT body FROM records WHERE id = 1").get();
    this.id = (JSON.parse(String(first?.["body"])) as StartBody).id;
  }

  /** The number of a record; undefined where the file does not hold just this one. */
  numberOf({ chain, seq, hash }: Head): number | undefined {
    const row = this.#database.prepare("SELECT id FROM records WHERE chain = ? AND seq = ? AND hash = ?");
    const id = row.get(chain, seq, hash)?.["id"];
    return id === undefined ? undefined : Number(id);
  }

  /** The next records behind a number. */
  after(id: number, most: number): readonly NumberedRecord[] {
    const rows = this.#database.prepare("SELECT * FROM records WHERE id > ? ORDER BY id LIMIT ?").all(id, most);
    return rows as unknown as readonly NumberedRecord[];
  }

  /** The number of the newest record. */
  newest(): number {
    return Number(this.#database.prepare("SELECT max(id) AS id FROM records").get()?.["id"] ?? 0);
  }

  snapshots(digests: readonly string[]): readonly StoredSnapshot[] {
    const find = this.#database.prepare("SELECT digest, text FROM snapshots WHERE digest = ?");
    return digests.flatMap((digest) => (find.get(digest) as StoredSnapshot | undefined) ?? []);
  }

  head(): SealedHead | undefined {
    return readHead(headPath(this.#path));
  }

  close(): void {
    this.#database.close();
  }
}
