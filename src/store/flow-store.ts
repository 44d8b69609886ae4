import { hash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { Instant } from "../domain/instant.ts";
import type { FlowEdge } from "../domain/seen-flow.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS edges (
    source TEXT NOT NULL, destination TEXT NOT NULL, port TEXT NOT NULL, verdict TEXT NOT NULL,
    count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (source, destination, port, verdict)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS imports (digest TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`;

/** One file of a source: its text, which counts once, and what it says. */
export type FlowBatch = { readonly text: string; readonly edges: Iterable<FlowEdge> };

/** The flows that were imported, added up by both ends, port and verdict, in a file of their own. */
export class FlowStore {
  readonly #database: DatabaseSync;

  /** Throws where the file cannot be opened, or is none. */
  constructor(path: string, { readOnly = false } = {}) {
    this.#database = new DatabaseSync(path, { readOnly, timeout: 5000 });
    if (readOnly) this.#database.prepare("SELECT digest FROM imports LIMIT 1").get();
    else this.#database.exec(SCHEMA);
  }

  /** Adds all of a file or nothing; false where it was added before. */
  add({ text, edges }: FlowBatch, now: Instant): boolean {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const { changes } = this.#database
        .prepare("INSERT OR IGNORE INTO imports VALUES (?, ?)")
        .run(hash("sha256", text), now);
      if (changes === 0) {
        this.#database.exec("ROLLBACK");
        return false;
      }
      const add = this.#database.prepare(
        `INSERT INTO edges VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
           count = min(count + excluded.count, ${Number.MAX_SAFE_INTEGER}), first = min(first, excluded.first), last = max(last, excluded.last)`,
      );
      for (const { from, to, port, verdict, count, first, last } of edges)
        add.run(from, to, port, verdict, count, first, last);
      this.#database.exec("COMMIT");
      return true;
    } catch (fault) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw fault;
    }
  }

  /** Those that were last seen at a moment or later, by name. */
  edges(since: Instant): readonly FlowEdge[] {
    return this.#database
      .prepare(
        `SELECT source AS "from", destination AS "to", port, verdict, count, first, last FROM edges
         WHERE last >= ? ORDER BY source, destination, port, verdict`,
      )
      .all(since) as unknown as readonly FlowEdge[];
  }

  close(): void {
    this.#database.close();
  }
}
