import { hash } from "node:crypto";
import pg from "pg";
import type { LedgerRecord } from "../chain.ts";
import { ChainWalk, type Verification } from "../chain-walk.ts";
import { entriesOf, recordKinds } from "../groups.ts";
import type { RecordFilter } from "../ledger-reader.ts";
import { parseHead } from "../sealed-head.ts";
import { clientConfig, type DatabaseSettings } from "./settings.ts";
import { type Row, recordOf } from "./tables.ts";

/** What was found of one of the ledgers in a database. */
export type CopyVerification = Verification & { readonly ledger: string };

const PAGE = 2000;

/** The ledgers that were copied to a PostgreSQL. */
export class CopyReader {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  /** Rejects where it cannot be reached, or holds no ledgers. */
  static async open(settings: DatabaseSettings): Promise<CopyReader> {
    const client = new pg.Client(clientConfig(settings));
    client.on("error", () => undefined);
    await client.connect();
    try {
      await client.query("SELECT 1 FROM signet_records LIMIT 1");
    } catch (fault) {
      await client.end();
      throw fault;
    }
    return new CopyReader(client);
  }

  /** Verifies each ledger as the local file is verified, and against the newest head that came with it. */
  async verify(): Promise<readonly CopyVerification[]> {
    const { rows } = await this.#client.query<{ readonly ledger: string; readonly head: string | null }>(
      "SELECT ledger, head FROM (SELECT DISTINCT ledger FROM signet_records UNION SELECT ledger FROM signet_heads) known LEFT JOIN signet_heads USING (ledger) ORDER BY ledger",
    );
    const snapshots = await this.#snapshots();
    const found: CopyVerification[] = [];
    for (const { ledger, head } of rows) {
      const walk = new ChainWalk([parseHead(head ?? "")], (digest) => snapshots.whole.has(digest));
      found.push({ ledger, ...(await this.#walk(ledger, walk)) });
    }
    return found;
  }

  async #walk(ledger: string, walk: ChainWalk): Promise<Verification> {
    for (let last = { chain: 0, seq: -1 }; ; ) {
      const { rows } = await this.#client.query<Row>(
        "SELECT * FROM signet_records WHERE ledger = $1 AND (chain, seq) > ($2, $3) ORDER BY chain, seq LIMIT $4",
        [ledger, last.chain, last.seq, PAGE],
      );
      const records = rows.map(recordOf);
      for (const record of records) if (!walk.step(record)) return walk.found();
      last = records.at(-1) ?? last;
      if (records.length < PAGE) return walk.found();
    }
  }

  /** Digests of the snapshots that are as they were stored; one that is not counts as missing. */
  async #snapshots(): Promise<{ readonly whole: ReadonlySet<string> }> {
    const whole = new Set<string>();
    const { rows } = await this.#client.query<{ readonly digest: string }>("SELECT digest FROM signet_snapshots");
    for (const { digest } of rows) {
      const text = await this.snapshot(digest);
      if (text !== undefined && hash("sha256", text) === digest) whole.add(digest);
    }
    return { whole };
  }

  /** Records of all ledgers in the order of time, those of a group one by one; with a limit the newest so many. */
  async records({
    kind,
    since = 0,
    limit,
  }: RecordFilter): Promise<readonly (LedgerRecord & { readonly ledger: string })[]> {
    const { rows } = await this.#client.query<Row>(
      "SELECT * FROM signet_records WHERE at >= $1 AND ($2::text[] IS NULL OR kind = ANY($2)) ORDER BY at DESC, ledger DESC, chain DESC, seq DESC LIMIT $3",
      [since, kind === undefined ? null : recordKinds(kind), limit ?? null],
    );
    // A group stands where its newest entry does, which is why so many rows hold the newest so many entries.
    const entries = rows.map(recordOf).toReversed().flatMap(entriesOf);
    const found = entries.toSorted((a, b) => a.at - b.at);
    return found.filter(({ at }) => at >= since).slice(limit === undefined ? 0 : -limit);
  }

  /** The catalogue's text that was stored under a digest. */
  async snapshot(digest: string): Promise<string | undefined> {
    const { rows } = await this.#client.query<{ readonly text: string }>(
      "SELECT text FROM signet_snapshots WHERE digest = $1",
      [digest],
    );
    return rows[0]?.text;
  }

  close(): Promise<void> {
    return this.#client.end();
  }
}
