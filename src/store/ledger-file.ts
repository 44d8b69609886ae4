import { randomUUID } from "node:crypto";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Instant } from "../domain/instant.ts";
import { type Entry, hashOf, type Head, NO_HASH, type StartBody } from "./chain.ts";
import { openLedgerDatabase } from "./ledger-database.ts";
import { headPath, NOTHING, readHead, Sealer } from "./sealed-head.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS records (
    id INTEGER PRIMARY KEY, chain INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,
    kind TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS snapshots (digest TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TRIGGER IF NOT EXISTS records_stay BEFORE UPDATE ON records BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
  CREATE TRIGGER IF NOT EXISTS records_remain BEFORE DELETE ON records BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
  CREATE TRIGGER IF NOT EXISTS snapshots_stay BEFORE UPDATE ON snapshots BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
  CREATE TRIGGER IF NOT EXISTS snapshots_remain BEFORE DELETE ON snapshots BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
`;

/** A catalogue's text, stored once under its SHA-256. */
export type StoredSnapshot = { readonly digest: string; readonly text: string };

/** What one commit writes. */
export type Batch = { readonly entries: Iterable<Entry>; readonly snapshots: readonly StoredSnapshot[] };

/**
 * A ledger that is open for writing, by one process at a time. Every opening begins a chain of its own, whose first record
 * names the end of the chain before it.
 */
export class LedgerFile {
  readonly #lock: DatabaseSync;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #insertSnapshot: StatementSync;
  readonly #sealer: Sealer;
  #head: Head;
  #at: Instant;
  #sealed: Head = NOTHING;

  /** Throws where another process holds the ledger, or where the file is none. */
  constructor(path: string, version: string, now: Instant) {
    this.#lock = takeLock(`${path}.lock`);
    this.#database = openLedgerDatabase(path);
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    this.#database.exec(SCHEMA);
    this.#insert = this.#database.prepare(
      "INSERT INTO records (chain, seq, at, kind, subject, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#insertSnapshot = this.#database.prepare("INSERT OR IGNORE INTO snapshots (digest, text) VALUES (?, ?)");
    this.#sealer = new Sealer(path);
    const previous = lastHead(this.#database);
    const lost = lossOf(this.#database, previous, path);
    // A head comes first: after a crash there is never a record without one.
    if (!previous) this.#sealer.seal(NOTHING, now);
    this.#head = { chain: (previous?.chain ?? lost?.chain ?? 0) + 1, seq: -1, hash: NO_HASH };
    this.#at = now;
    const body: StartBody = {
      id: randomUUID(),
      version,
      previous: previous ?? null,
      key: this.#sealer.key,
      ...(lost === undefined ? {} : { lost }),
    };
    this.write({ entries: [{ kind: "start", subject: "", at: now, body: JSON.stringify(body) }], snapshots: [] });
    this.seal();
  }

  /** Writes all of the batch or nothing; when it returns, the disk has it. */
  write({ entries, snapshots }: Batch): void {
    this.#commit(snapshots, () => {
      for (const entry of entries) this.#append(entry);
    });
  }

  /**
   * Writes a batch of which some entry is refused each time: that one is left out, and a gap stands in its place. Gives the
   * places of those left out, counted from 0. Throws where it is not an entry that is refused but the disk that fails.
   */
  writeSifted({ entries, snapshots }: Batch): readonly number[] {
    const refused: number[] = [];
    this.#commit(snapshots, () => {
      let index = 0;
      for (const entry of entries) {
        if (!this.#appendOrGap(entry)) refused.push(index);
        index += 1;
      }
    });
    return refused;
  }

  #appendOrGap(entry: Entry): boolean {
    try {
      this.#append(entry);
      return true;
    } catch (fault) {
      if (!concernsEntry(fault)) throw fault;
      const why = { dropped: 1, since: entry.at, refused: reasonOf(fault) };
      this.#append({ kind: "gap", subject: "", at: entry.at, body: JSON.stringify(why) });
      return false;
    }
  }

  #commit(snapshots: readonly StoredSnapshot[], append: () => void): void {
    const before = this.#head;
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      for (const { digest, text } of snapshots) this.#insertSnapshot.run(digest, text);
      append();
      this.#database.exec("COMMIT");
    } catch (fault) {
      this.#undo(before);
      throw fault;
    }
  }

  /** Signs how far the ledger has come, beside it. Throws where the disk refuses. */
  seal(): void {
    const { chain, seq } = this.#head;
    if (chain === this.#sealed.chain && seq === this.#sealed.seq) return;
    this.#sealer.seal(this.#head, this.#at);
    this.#sealed = this.#head;
  }

  #append(entry: Entry): void {
    const { chain, seq, hash: last } = this.#head;
    const next = { chain, seq: seq + 1 };
    const closed = hashOf(last, next, entry);
    this.#insert.run(chain, next.seq, entry.at, entry.kind, entry.subject, entry.body, closed);
    this.#head = { chain, seq: next.seq, hash: closed };
    this.#at = entry.at;
  }

  /** A commit that failed may have reached the disk after all: the file says where the chain ends. */
  #undo(before: Head): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    const last = lastHead(this.#database);
    this.#head = last?.chain === before.chain ? last : before;
  }

  /** Seals what is written, and lets go. */
  close(): void {
    try {
      this.seal();
    } finally {
      this.#database.close();
      this.#lock.close();
    }
  }
}

/**
 * Primary result codes of SQLite that are about what was to be written: too big, constraint, mismatch, range
 * (sqlite.org/rescode.html).
 */
const ABOUT_ENTRIES: ReadonlySet<number> = new Set([18, 19, 20, 25]);

/** Whether a fault is about the entry, so that the next one may be written. What SQLite did not say was said on the way to it. */
function concernsEntry(fault: unknown): boolean {
  const code = fault instanceof Error && "errcode" in fault ? fault.errcode : undefined;
  return typeof code === "number" ? ABOUT_ENTRIES.has(code & 0xff) : true;
}

const reasonOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault)).slice(0, 200);

/**
 * What the file lacks of what its signed head says; null where no head can be read. Undefined where all is there: a head may
 * lag behind its file, by a moment within a chain, or by the first moment of a new one.
 */
function lossOf(database: DatabaseSync, last: Head | undefined, path: string): Head | null | undefined {
  const sealed = readHead(headPath(path));
  if (!sealed) return last ? null : undefined;
  const { chain, seq, hash } = sealed;
  if (chain === 0 || chain < (last?.chain ?? 0)) return undefined;
  return last?.chain === chain && holds(database, last.seq - seq, hash) ? undefined : { chain, seq, hash };
}

/** Whether the record so many places before the last one has the hash: records have no gaps between their numbers. */
function holds(database: DatabaseSync, before: number, hash: string): boolean {
  const row = database.prepare("SELECT hash FROM records WHERE id = (SELECT max(id) FROM records) - ?").get(before);
  return row?.["hash"] === hash;
}

/** A lock that ends with the process, however that ends. Readers of the ledger do not need it. */
function takeLock(path: string): DatabaseSync {
  const lock = new DatabaseSync(path);
  try {
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF; BEGIN EXCLUSIVE;");
  } catch (fault) {
    lock.close();
    throw fault;
  }
  return lock;
}

function lastHead(database: DatabaseSync): Head | undefined {
  const row = database.prepare("SELECT chain, seq, hash FROM records ORDER BY id DESC LIMIT 1").get();
  return row as Head | undefined;
}
