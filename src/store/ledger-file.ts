import { hash, randomUUID } from "node:crypto";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Instant } from "../domain/instant.ts";
import { type Entry, hashOf, type Head, type LedgerRecord, NO_HASH, type StartBody } from "./chain.ts";

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
export type Batch = { readonly entries: readonly Entry[]; readonly snapshots: readonly StoredSnapshot[] };

/**
 * A ledger that is open for writing, by one process at a time. Every opening begins a chain of its own, whose first record
 * names the end of the chain before it.
 */
export class LedgerFile {
  readonly #lock: DatabaseSync;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #insertSnapshot: StatementSync;
  #head: Head;

  /** Throws where another process holds the ledger, or where the file is none. */
  constructor(path: string, version: string, now: Instant) {
    this.#lock = takeLock(`${path}.lock`);
    this.#database = new DatabaseSync(path);
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;");
    this.#database.exec(SCHEMA);
    this.#insert = this.#database.prepare(
      "INSERT INTO records (chain, seq, at, kind, subject, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#insertSnapshot = this.#database.prepare("INSERT OR IGNORE INTO snapshots (digest, text) VALUES (?, ?)");
    const previous = lastHead(this.#database);
    this.#head = { chain: (previous?.chain ?? 0) + 1, seq: -1, hash: NO_HASH };
    const body: StartBody = { id: randomUUID(), version, previous: previous ?? null };
    this.write({ entries: [{ kind: "start", subject: "", at: now, body: JSON.stringify(body) }], snapshots: [] });
  }

  /** Writes all of the batch or nothing; when it returns, the disk has it. */
  write({ entries, snapshots }: Batch): void {
    const before = this.#head;
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      for (const { digest, text } of snapshots) this.#insertSnapshot.run(digest, text);
      for (const entry of entries) this.#append(entry);
      this.#database.exec("COMMIT");
    } catch (fault) {
      this.#undo(before);
      throw fault;
    }
  }

  #append(entry: Entry): void {
    const { chain, seq, hash: last } = this.#head;
    const next = { chain, seq: seq + 1 };
    const closed = hashOf(last, next, entry);
    this.#insert.run(chain, next.seq, entry.at, entry.kind, entry.subject, entry.body, closed);
    this.#head = { ...next, hash: closed };
  }

  /** A commit that failed may have reached the disk after all: the file says where the chain ends. */
  #undo(before: Head): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    const last = lastHead(this.#database);
    this.#head = last?.chain === before.chain ? last : before;
  }

  close(): void {
    this.#database.close();
    this.#lock.close();
  }
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

/** What `verify` found: how much there is, and the first record that is not as it was written. */
export type Verification = {
  readonly chains: number;
  readonly records: number;
  readonly head?: Head;
  readonly broken?: { readonly chain: number; readonly seq: number; readonly why: string };
};

/** Which records are asked for; `kind` and `since` narrow. */
export type RecordFilter = { readonly kind?: string; readonly since?: Instant; readonly limit?: number };

/** A ledger that is read, also while a server writes it. */
export class LedgerReader {
  readonly #database: DatabaseSync;

  /** Throws where there is no ledger at the path. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true });
    this.#database.prepare("SELECT id FROM records LIMIT 1").get();
  }

  /** Recomputes every chain from its first record on, and every snapshot's digest. */
  verify(): Verification {
    let last: Head | undefined;
    let [chains, records] = [0, 0];
    for (const row of this.#database.prepare("SELECT * FROM records ORDER BY id").iterate()) {
      const record = row as unknown as LedgerRecord;
      const why = whyBroken(last, record);
      if (why !== undefined)
        return { chains, records, broken: { chain: record.chain, seq: record.seq, why }, ...(last && { head: last }) };
      if (record.chain !== last?.chain) chains += 1;
      records += 1;
      last = { chain: record.chain, seq: record.seq, hash: record.hash };
    }
    const stray = this.#brokenSnapshot();
    const broken = stray === undefined || !last ? undefined : { chain: last.chain, seq: last.seq, why: stray };
    return { chains, records, ...(last && { head: last }), ...(broken && { broken }) };
  }

  #brokenSnapshot(): string | undefined {
    for (const row of this.#database.prepare("SELECT digest, text FROM snapshots").iterate()) {
      const { digest, text } = row as unknown as StoredSnapshot;
      if (hash("sha256", text) !== digest) return `snapshot ${digest.slice(0, 12)} is not what was stored`;
    }
    return undefined;
  }

  /** Records in the order in which they were written; with a limit the newest so many. */
  records({ kind, since, limit }: RecordFilter): readonly LedgerRecord[] {
    const rows = this.#database
      .prepare("SELECT * FROM records WHERE at >= ? AND (? IS NULL OR kind = ?) ORDER BY id DESC LIMIT ?")
      .all(since ?? 0, kind ?? null, kind ?? null, limit ?? -1);
    return (rows as unknown as LedgerRecord[]).toReversed();
  }

  /**
   * The newest verdict on an object at a moment. `subject` is `KIND NAMESPACE/NAME`; a record of a name that the API server
   * had still to choose (`web-7d9f-*`) counts for the names it could become.
   */
  lastVerdict(subject: string, at: Instant): LedgerRecord | undefined {
    const row = this.#database
      .prepare(
        `SELECT * FROM records WHERE kind = 'verdict' AND at <= ?2 AND (subject = ?1 COLLATE NOCASE OR (substr(subject, -1) = '*' AND
         substr(?1, 1, length(subject) - 1) = substr(subject, 1, length(subject) - 1) COLLATE NOCASE))
         ORDER BY subject = ?1 COLLATE NOCASE DESC, id DESC LIMIT 1`,
      )
      .get(subject, at);
    return row as LedgerRecord | undefined;
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

/** Why a record cannot stand behind the one before it; undefined where it can. */
function whyBroken(last: Head | undefined, record: LedgerRecord): string | undefined {
  if (last && record.chain === last.chain) return whyNotNext(last.seq + 1, last.hash, record);
  if (record.chain !== (last?.chain ?? 0) + 1) return "a whole chain is missing before it";
  return whyNotNext(0, NO_HASH, record) ?? whyNotJoined(last, record);
}

function whyNotNext(seq: number, hashBefore: string, record: LedgerRecord): string | undefined {
  if (record.seq !== seq) return `a record is missing: ${seq} was expected here`;
  return hashOf(hashBefore, record, record) === record.hash ? undefined : "it is not what was written";
}

/** Undefined where the body is not what a start says: whoever can make a hash can close anything with it. */
function previousOf(body: string): StartBody["previous"] | undefined {
  try {
    return (JSON.parse(body) as StartBody | null)?.previous;
  } catch {
    return undefined;
  }
}

function whyNotJoined(last: Head | undefined, { kind, body }: LedgerRecord): string | undefined {
  if (kind !== "start") return "the chain's first record is missing";
  const previous = previousOf(body);
  const placeOf = (head: Head | null | undefined): string => (head ? `${head.chain}/${head.seq} ${head.hash}` : "");
  if (placeOf(previous) === placeOf(last)) return undefined;
  return "the chain before it does not end where this one says it did";
}
