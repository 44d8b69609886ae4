import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Entry, hashOf } from "../../src/store/chain.ts";
import { LedgerFile } from "../../src/store/ledger-file.ts";
import { LedgerReader } from "../../src/store/ledger-reader.ts";
import { type Ledger, type LedgerLimits, openLedger } from "../../src/store/ledger.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "signet-test-"));
  path = join(folder, "ledger.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

const AT = Date.parse("2026-11-23T12:00:00Z");
const entry = (number: number, kind = "verdict"): Entry => ({
  kind,
  subject: `Pod shop/p-${number}`,
  at: AT + number,
  body: JSON.stringify({ number }),
});

const open = (limits: Partial<LedgerLimits> = {}, failures: string[] = []): Promise<Ledger> =>
  openLedger({ path, version: "test", now: () => AT, failed: (reason) => failures.push(reason), limits });

function read<T>(use: (reader: LedgerReader) => T): T {
  const reader = new LedgerReader(path);
  try {
    return use(reader);
  } finally {
    reader.close();
  }
}

const kinds = () => read((reader) => reader.records({}).map(({ chain, seq, kind }) => `${chain}/${seq} ${kind}`));

describe("the chain", () => {
  test("what is appended is there, in order, when the promise resolves", async () => {
    const ledger = await open();
    await ledger.append([entry(1), entry(2)]);
    expect(kinds()).toEqual(["1/0 start", "1/1 verdict", "1/2 verdict"]);
    await ledger.close();
    expect(read((reader) => reader.verify())).toMatchObject({ chains: 1, records: 4, head: { chain: 1, seq: 3 } });
  });

  test("each start begins a chain that names the end of the one before", async () => {
    for (let start = 0; start < 3; start++) {
      const ledger = await open();
      await ledger.append([entry(start)]);
      await ledger.close();
    }
    const records = read((reader) => reader.records({}));
    const previous = records
      .filter(({ kind }) => kind === "start")
      .map(({ body }) => (JSON.parse(body) as { previous: object | null }).previous);
    const ends = records.filter(({ kind }) => kind === "stop").map(({ chain, seq, hash }) => ({ chain, seq, hash }));
    expect(previous).toEqual([null, ends[0], ends[1]]);
    expect(read((reader) => reader.verify())).toMatchObject({ chains: 3, records: 9 });
  });

  test("no two records hash alike, however their fields are cut", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "1", " ", "0"), maxLength: 4 });
    const record = fc.record({ kind: text, subject: text, at: fc.nat({ max: 20 }), body: text });
    fc.assert(
      fc.property(record, record, (a, b) => {
        const same = JSON.stringify(a) === JSON.stringify(b);
        expect(hashOf("0", { chain: 1, seq: 1 }, a) === hashOf("0", { chain: 1, seq: 1 }, b)).toBe(same);
      }),
      { numRuns: 3000 },
    );
  });

  const TAMPERING: readonly (readonly [what: string, sql: string, broken: object])[] = [
    [
      "a body is changed",
      `UPDATE records SET body = '{"number":7}' WHERE id = 3`,
      { chain: 1, seq: 2, why: "it is not what was written" },
    ],
    [
      "a time is changed",
      "UPDATE records SET at = at + 1 WHERE id = 2",
      { chain: 1, seq: 1, why: "it is not what was written" },
    ],
    [
      "a subject is changed",
      "UPDATE records SET subject = 'x' WHERE id = 2",
      { chain: 1, seq: 1, why: "it is not what was written" },
    ],
    [
      "a record is taken out",
      "DELETE FROM records WHERE id = 3",
      { chain: 1, seq: 3, why: "a record is missing: 2 was expected here" },
    ],
    [
      "two records change places",
      "UPDATE records SET id = CASE id WHEN 2 THEN -3 ELSE -2 END WHERE id IN (2, 3); UPDATE records SET id = -id WHERE id < 0",
      { chain: 1, seq: 2, why: "a record is missing: 1 was expected here" },
    ],
    [
      "the end of an older chain is cut off",
      "DELETE FROM records WHERE id = 5",
      { chain: 2, seq: 0, why: "the chain before it does not end where this one says it did" },
    ],
    [
      "a whole chain is taken out",
      "DELETE FROM records WHERE chain = 1",
      { chain: 2, seq: 0, why: "a whole chain is missing before it" },
    ],
    [
      "a first record is taken out",
      "DELETE FROM records WHERE id = 1",
      { chain: 1, seq: 1, why: "a record is missing: 0 was expected here" },
    ],
    [
      "a snapshot is changed",
      "UPDATE snapshots SET text = '[1]'",
      { why: expect.stringContaining("is not what was stored") as string },
    ],
  ];

  test.each(TAMPERING)("it shows when %s", (_what, sql, broken) => {
    for (let start = 0; start < 2; start++) {
      const file = new LedgerFile(path, "test", AT);
      const entries = [entry(0, "catalogue"), entry(1), entry(2), entry(3, "stop")];
      file.write({ entries, snapshots: [{ digest: EMPTY_DIGEST, text: "[]" }] });
      file.close();
    }
    expect(read((reader) => reader.verify()).broken).toBeUndefined();
    const database = new DatabaseSync(path);
    for (const name of ["records_stay", "records_remain", "snapshots_stay", "snapshots_remain"])
      database.exec(`DROP TRIGGER ${name}`);
    database.exec(sql);
    database.close();
    expect(read((reader) => reader.verify()).broken).toMatchObject(broken);
  });

  test("the file itself refuses to change or lose a record", async () => {
    const ledger = await open();
    await ledger.append([entry(1)]);
    await ledger.close();
    const database = new DatabaseSync(path);
    expect(() => database.exec("UPDATE records SET body = ''")).toThrow("append-only");
    expect(() => database.exec("DELETE FROM records")).toThrow("append-only");
    database.close();
  });
});

const EMPTY_DIGEST = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945";

describe("never in the way, never silent", () => {
  test("what is offered is written soon, without anybody waiting", async () => {
    const ledger = await open({ gatherMs: 5 });
    for (let number = 1; number <= 100; number++) ledger.offer(entry(number));
    expect(ledger.figures().queued).toBe(100);
    await ledger.append([entry(101, "issuance")]);
    expect(ledger.figures()).toEqual({ queued: 0, written: 101, dropped: 0, failures: 0 });
    await ledger.close();
    expect(read((reader) => reader.records({ kind: "verdict" })).map(({ subject }) => subject)).toEqual(
      Array.from({ length: 100 }, (_, index) => `Pod shop/p-${index + 1}`),
    );
  });

  test("beyond the limit entries are dropped, counted, and the gap is a record of the chain", async () => {
    const ledger = await open({ records: 10 });
    for (let number = 0; number < 25; number++) ledger.offer(entry(number));
    expect(ledger.figures()).toMatchObject({ queued: 10, dropped: 15 });
    await ledger.close();
    const gaps = read((reader) => reader.records({ kind: "gap" })).map(({ body }) => JSON.parse(body) as unknown);
    expect(gaps).toEqual([{ dropped: 15, since: AT }]);
    expect(read((reader) => reader.verify())).toMatchObject({ chains: 1, records: 4 });
  });

  test("the limit on bytes holds too", async () => {
    const ledger = await open({ bytes: 1000 });
    for (let number = 0; number < 5; number++)
      ledger.offer({ ...entry(number), body: JSON.stringify("x".repeat(600)) });
    expect(ledger.figures()).toMatchObject({ queued: 2, dropped: 3 });
    await ledger.close();
  });

  test("a write that fails is told to whoever waits; what was offered is written later, and nothing is lost", async () => {
    const failures: string[] = [];
    const ledger = await open({ retryMs: 20 }, failures);
    const full = new DatabaseSync(path);
    full.exec("PRAGMA busy_timeout = 0");
    full.exec(
      "CREATE TRIGGER full BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    );
    ledger.offer(entry(1));
    await expect(ledger.append([entry(2, "issuance")])).rejects.toThrow("disk is full");
    expect(ledger.figures()).toMatchObject({ queued: 1, written: 0, dropped: 0 });
    full.exec("DROP TRIGGER full");
    full.close();
    await ledger.append([entry(3, "issuance")]);
    await ledger.close();
    expect(failures[0]).toContain("disk is full");
    expect(kinds()).toEqual(["1/0 start", "1/1 verdict", "1/2 issuance", "1/3 stop"]);
    expect(read((reader) => reader.verify()).broken).toBeUndefined();
  });

  test("a second server on the same ledger is refused while the first runs, and not afterwards", async () => {
    const first = await open();
    await expect(open()).rejects.toThrow("locked");
    await first.close();
    const second = await open();
    await second.close();
  });

  test("a file that is no ledger is refused with the reason", async () => {
    appendFileSync(path, "this is no database, and long enough to show it".repeat(100));
    await expect(open()).rejects.toThrow("not a database");
  });

  test("a reader sees what a running server wrote", async () => {
    const ledger = await open();
    await ledger.append([entry(1)]);
    expect(read((reader) => reader.verify())).toMatchObject({ chains: 1, records: 2 });
    await ledger.close();
  });
});

describe("asking the ledger", () => {
  test("a snapshot is stored once under its digest", async () => {
    const ledger = await open();
    for (let time = 0; time < 2; time++) ledger.remember({ digest: EMPTY_DIGEST, text: "[]" }, AT);
    await ledger.close();
    expect(read((reader) => reader.snapshot(EMPTY_DIGEST))).toBe("[]");
    expect(read((reader) => reader.snapshot("0"))).toBeUndefined();
    expect(kinds()).toEqual(["1/0 start", "1/1 catalogue", "1/2 catalogue", "1/3 stop"]);
  });

  test("records are chosen by kind, time and number", async () => {
    const ledger = await open();
    await ledger.append([entry(1), entry(2), entry(3, "issuance"), entry(4)]);
    await ledger.close();
    const subjects = (filter: object) => read((reader) => reader.records(filter)).map(({ subject }) => subject);
    expect(subjects({ kind: "verdict" })).toEqual(["Pod shop/p-1", "Pod shop/p-2", "Pod shop/p-4"]);
    expect(subjects({ since: AT + 3 })).toEqual(["Pod shop/p-3", "Pod shop/p-4"]);
    expect(subjects({ kind: "verdict", limit: 2 })).toEqual(["Pod shop/p-2", "Pod shop/p-4"]);
  });

  test("records are chosen one by one where many lie in one", async () => {
    const ledger = await open();
    for (const number of [1, 2]) ledger.offer(entry(number));
    await ledger.append([entry(3, "issuance"), entry(4)]);
    for (const number of [5, 6]) ledger.offer(entry(number));
    await ledger.close();
    const subjects = (filter: object) => read((reader) => reader.records(filter)).map(({ subject }) => subject);
    expect(subjects({ kind: "verdict" })).toEqual([1, 2, 4, 5, 6].map((number) => `Pod shop/p-${number}`));
    expect(subjects({ kind: "verdict", since: AT + 2, limit: 3 })).toEqual(
      [4, 5, 6].map((number) => `Pod shop/p-${number}`),
    );
    expect(subjects({ since: AT + 6 })).toEqual(["Pod shop/p-6"]);
    expect(subjects({ limit: 0 })).toEqual([]);
  });

  test.each([
    ["each is a record", (ledger: Ledger, entries: readonly Entry[]) => ledger.append(entries)],
    [
      "they share one",
      async (ledger: Ledger, entries: readonly Entry[]) => entries.forEach((each) => ledger.offer(each)),
    ],
  ])(
    "the verdict at a moment is the newest up to then, by name, or by the prefix where the name was still to come; %s",
    async (_, write) => {
      const ledger = await open();
      await write(ledger, [
        { ...entry(1), subject: "Pod shop/web-*" },
        { ...entry(2), subject: "Pod shop/cart" },
        { ...entry(5), subject: "Pod shop/cart" },
      ]);
      await ledger.close();
      const at = (subject: string, moment: number) => read((reader) => reader.lastVerdict(subject, AT + moment))?.at;
      expect([
        at("Pod shop/cart", 9),
        at("Pod shop/cart", 4),
        at("Pod shop/cart", 1),
        at("pod shop/web-1", 9),
        at("Pod bank/cart", 9),
      ]).toEqual([AT + 5, AT + 2, undefined, AT + 1, undefined]);
    },
  );
});

describe("kill -9 at any instant", () => {
  test("every acknowledged record is there, and the chain verifies, start after start", async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 5; round++) acknowledged.push(...(await writeUntilKilled(round)));
    const ledger = await open();
    await ledger.close();
    const found = new Set(read((reader) => reader.records({ kind: "issuance" })).map(({ subject }) => subject));
    expect(acknowledged.length).toBeGreaterThan(5);
    expect(acknowledged.filter((subject) => !found.has(subject))).toEqual([]);
    const verified = read((reader) => reader.verify());
    expect(verified.broken).toBeUndefined();
    expect(verified.chains).toBe(6);
  }, 60_000);

  test("a commit in the middle of the file's own writing is whole or absent", () => {
    const file = new LedgerFile(path, "test", AT);
    expect(() =>
      file.write({ entries: [entry(1), { ...entry(2), body: null as unknown as string }], snapshots: [] }),
    ).toThrow();
    file.write({ entries: [entry(3)], snapshots: [] });
    file.close();
    expect(kinds()).toEqual(["1/0 start", "1/1 verdict"]);
    expect(read((reader) => reader.verify()).broken).toBeUndefined();
  });
});

/** A process that appends as fast as it can and prints each record once it is durable; killed after a random while. */
function writeUntilKilled(round: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [new URL("./writer.ts", import.meta.url).pathname, path, String(round)]);
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      if (said === "") setTimeout(() => child.kill("SIGKILL"), Math.random() * 120);
      said += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => reject(new Error(chunk.toString())));
    child.on("exit", () =>
      resolve(
        said
          .slice(0, said.lastIndexOf("\n") + 1)
          .split("\n")
          .filter(Boolean),
      ),
    );
  });
}
