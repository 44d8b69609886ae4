import pg from "pg";
import type { Head } from "../chain.ts";
import type { LocalLedger, NumberedRecord } from "./local-ledger.ts";
import { clientConfig, type DatabaseSettings } from "./settings.ts";
import { INSERT_RECORDS, MAKE_TABLES, recordColumns, type Row } from "./tables.ts";
import { whyNot } from "./why-not.ts";

/** How far the copy has come. Numbers of records. */
export type Progress = {
  readonly shipped: number;
  readonly behind: number;
  /** Why nothing can be copied at present. */
  readonly failing?: string;
};

/** What a shipper works with. Times in milliseconds. */
export type ShipperParts = {
  readonly local: LocalLedger;
  readonly settings: DatabaseSettings;
  readonly told: (progress: Progress) => void;
  readonly pause: (ms: number) => Promise<void>;
  readonly random: () => number;
};

/** Records in one transaction; a group of verdicts may have 64 KiB. */
const MOST_AT_ONCE = 200;
const LOOK_MS = 200;
const BACKOFF_MS = { first: 250, most: 30_000 } as const;

/**
 * Copies a ledger to PostgreSQL, in groups, each one transaction: what the local file has acknowledged is there first, and an
 * outage of the database only lets the copy fall behind. What the database holds says where to go on, so that neither a lost
 * answer nor a killed process leaves a gap or a double.
 */
export class Shipper {
  readonly #parts: ShipperParts;
  #client: pg.Client | undefined;
  /** Number of the newest record that is known to be copied. */
  #at = 0;
  #shipped = 0;
  /** The newest record that was copied over this connection or found at its start, and the newest head. */
  #last: Head | undefined;
  #head: Head | undefined;
  #lost: Error | undefined;
  #failing: string | undefined;
  #ending = false;
  #wake: (() => void) | undefined;

  constructor(parts: ShipperParts) {
    this.#parts = parts;
  }

  /** Works until it is ended, and then tries once more. */
  async run(): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      const last = this.#ending;
      try {
        await this.#connect();
        failures = 1;
        return await this.#follow();
      } catch (fault) {
        this.#tell(whyNot(fault, this.#parts.settings));
      } finally {
        await this.#leave();
      }
      if (last) return;
      await this.#pause(this.#backoff(failures));
    }
  }

  /** Copies what is there, and then no more: a database that is away is tried once, and not waited for. */
  end(): void {
    this.#ending = true;
    this.#tell(this.#failing);
    this.#wake?.();
  }

  /** Until the time is over, or the end comes. */
  #pause(ms: number): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    return this.#ending ? Promise.resolve() : Promise.race([this.#parts.pause(ms), ended]);
  }

  #backoff(failures: number): number {
    const longest = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** Math.min(failures, 10));
    return longest * (0.5 + this.#parts.random() / 2);
  }

  async #connect(): Promise<void> {
    const client = new pg.Client(clientConfig(this.#parts.settings));
    this.#lost = undefined;
    client.on("error", (fault) => {
      this.#lost = fault;
    });
    this.#client = client;
    await client.connect();
    await client.query(MAKE_TABLES);
    this.#at = await this.#position(client);
  }

  /** Throws where the database holds what the file does not: then one of the two is not what was written. */
  async #position(client: pg.Client): Promise<number> {
    const { local } = this.#parts;
    const { rows } = await client.query<Pick<Row, "chain" | "seq" | "hash">>(
      "SELECT chain, seq, hash FROM signet_records WHERE ledger = $1 ORDER BY chain DESC, seq DESC LIMIT 1",
      [local.id],
    );
    const [last] = rows;
    if (!last) return 0;
    const head: Head = { chain: last.chain, seq: Number(last.seq), hash: last.hash };
    const number = local.numberOf(head);
    this.#last = head;
    if (number !== undefined) return number;
    throw new Error(`the database holds record ${head.chain}/${head.seq}, and this file holds another or none there`);
  }

  async #follow(): Promise<void> {
    for (;;) {
      const ending = this.#ending;
      if (this.#lost) throw this.#lost;
      const records = this.#parts.local.after(this.#at, MOST_AT_ONCE);
      if (records.length > 0) await this.#ship(records);
      await this.#shipHead();
      this.#tell();
      if (records.length === MOST_AT_ONCE) continue;
      if (ending) return;
      await this.#pause(LOOK_MS);
    }
  }

  async #ship(records: readonly NumberedRecord[]): Promise<void> {
    const { local } = this.#parts;
    await this.#ask("BEGIN");
    for (const { digest, text } of local.snapshots(digestsOf(records)))
      await this.#ask("INSERT INTO signet_snapshots VALUES ($1, $2) ON CONFLICT DO NOTHING", [digest, text]);
    await this.#ask(INSERT_RECORDS, recordColumns(local.id, records));
    await this.#ask("COMMIT");
    const last = records.at(-1);
    this.#at = last?.id ?? this.#at;
    this.#last = last ?? this.#last;
    this.#shipped += records.length;
  }

  /** A head that is ahead of what was copied would look like a loss. */
  async #shipHead(): Promise<void> {
    const { local } = this.#parts;
    const head = local.head();
    if (!head || !this.#last || isSame(head, this.#head) || isBehind(this.#last, head)) return;
    await this.#ask(
      "INSERT INTO signet_heads VALUES ($1, $2) ON CONFLICT (ledger) DO UPDATE SET head = excluded.head",
      [local.id, JSON.stringify(head)],
    );
    this.#head = head;
  }

  async #ask(text: string, values: readonly unknown[] = []): Promise<void> {
    await this.#client?.query(text, [...values]);
  }

  async #leave(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  #tell(failing?: string): void {
    this.#failing = failing;
    const behind = this.#parts.local.newest() - this.#at;
    this.#parts.told({ shipped: this.#shipped, behind, ...(failing === undefined ? {} : { failing }) });
  }
}

const isSame = (a: Head, b: Head | undefined): boolean => a.chain === b?.chain && a.seq === b.seq;

const isBehind = (a: Head, b: Head): boolean => a.chain < b.chain || (a.chain === b.chain && a.seq < b.seq);

function digestsOf(records: readonly NumberedRecord[]): readonly string[] {
  return records.filter(({ kind }) => kind === "catalogue").map(({ subject }) => subject);
}
