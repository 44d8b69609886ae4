import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Entry, hashOf, type LedgerRecord, NO_HASH } from "../../src/store/chain.ts";
import { LedgerFile } from "../../src/store/ledger-file.ts";
import { LedgerReader } from "../../src/store/ledger-reader.ts";
import { headPath } from "../../src/store/sealed-head.ts";
import { entry, ledgerPath, NOON, opened, reading, verified, writeChains } from "./ledgers.ts";

const all = (path: string): readonly LedgerRecord[] => reading(path, (reader) => reader.records({}));
const told = (path: string) => all(path).map(({ chain, seq, kind, subject }) => [chain, seq, kind, subject]);
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Changes a copy of a ledger behind its back. */
function tampered(path: string, ...statements: readonly string[]): string {
  const copy = ledgerPath();
  copyFileSync(path, copy);
  copyFileSync(headPath(path), headPath(copy));
  const database = new DatabaseSync(copy);
  database.exec("PRAGMA synchronous = OFF");
  for (const table of ["records", "snapshots"])
    database.exec(`DROP TRIGGER ${table}_stay; DROP TRIGGER ${table}_remain;`);
  for (const statement of statements) database.exec(statement);
  database.close();
  return copy;
}

describe("the chain", () => {
  test("every record closes over the one before it", () => {
    const path = ledgerPath();
    writeChains(path, [["a", "b"]]);
    const records = all(path);
    expect(records.map(({ hash }) => hash)).toEqual(
      records.map((record, index) => hashOf(records[index - 1]?.hash ?? NO_HASH, record, record)),
    );
    expect(verified(path)).toEqual({
      chains: 1,
      records: 3,
      head: { chain: 1, seq: 2, hash: records[2]?.hash },
    });
  });

  test("every start begins a chain that names the end of the one before", () => {
    const path = ledgerPath();
    writeChains(path, [["a"], [], ["b"]]);
    expect(told(path)).toEqual([
      [1, 0, "start", ""],
      [1, 1, "verdict", "Pod shop/a"],
      [2, 0, "start", ""],
      [3, 0, "start", ""],
      [3, 1, "verdict", "Pod shop/b"],
    ]);
    const records = all(path);
    const head = (index: number) => {
      const { chain, seq, hash } = records[index] ?? {};
      return { chain, seq, hash };
    };
    const previous = records.filter(({ kind }) => kind === "start").map(({ body }) => JSON.parse(body).previous);
    expect(previous).toEqual([null, head(1), head(2)]);
    expect(verified(path)).toMatchObject({ chains: 3, records: 5, head: head(4) });
  });

  test("no two different records have one form", () => {
    const text = fc.string({ unit: fc.constantFrom("a", " ", "1"), maxLength: 4 });
    const made = fc.record({ kind: text, subject: text, at: fc.constantFrom(1, 11), body: text });
    const place = fc.record({ chain: fc.constantFrom(1, 11), seq: fc.constantFrom(1, 11) });
    fc.assert(
      fc.property(place, made, place, made, (p, a, q, b) => {
        const same = JSON.stringify([p, a]) === JSON.stringify([q, b]);
        expect(hashOf(NO_HASH, p, a) === hashOf(NO_HASH, q, b)).toBe(same);
      }),
      { numRuns: 500 },
    );
  });

  test("any text comes back as it was written, and verifies", () => {
    const path = ledgerPath();
    const file = new LedgerFile(path, "1.2.3", NOON);
    const entries: readonly Entry[] = ["é", "𝄞", "a\nb", "'; DROP TABLE records; --", "", "a\u0000b"].map((text) => ({
      kind: "verdict",
      subject: text,
      at: NOON,
      body: text,
    }));
    file.write({ entries, snapshots: [] });
    file.close();
    const read = all(path).slice(1);
    expect(read.map(({ kind, subject, at, body }) => ({ kind, subject, at, body }))).toEqual(entries);
    expect(verified(path).broken).toBeUndefined();
  });

  test("SQL cannot change or delete what is written", () => {
    const path = ledgerPath();
    const file = new LedgerFile(path, "1.2.3", NOON);
    file.write({ entries: [], snapshots: [{ digest: sha256("x"), text: "x" }] });
    file.close();
    const database = new DatabaseSync(path);
    for (const statement of [
      "UPDATE records SET body = 'x'",
      "DELETE FROM records",
      "UPDATE snapshots SET text = 'y'",
      "DELETE FROM snapshots",
    ])
      expect(() => database.exec(statement)).toThrow("the ledger is append-only");
    database.close();
  });

  test("a second writer is refused while the first has it, and a reader is not", () => {
    const path = ledgerPath();
    const file = new LedgerFile(path, "1.2.3", NOON);
    expect(() => new LedgerFile(path, "1.2.3", NOON)).toThrow("locked");
    expect(verified(path)).toMatchObject({ chains: 1, records: 1 });
    file.close();
    writeChains(path, [[]]);
    expect(verified(path).chains).toBe(2);
  });

  test("what is no ledger is neither written nor read", () => {
    const path = ledgerPath();
    expect(() => new LedgerReader(path)).toThrow("unable to open database file");
    writeFileSync(path, "not a database, but long enough to be mistaken for one ".repeat(10));
    expect(() => new LedgerReader(path)).toThrow("file is not a database");
    expect(() => new LedgerFile(path, "1.2.3", NOON)).toThrow("file is not a database");
  });

  test("a batch is written whole or not at all, and the chain goes on behind what is there", () => {
    const path = ledgerPath();
    const file = new LedgerFile(path, "1.2.3", NOON);
    const wrong = { ...entry("wrong"), at: 0.5 };
    expect(() => file.write({ entries: [entry("a"), wrong], snapshots: [] })).toThrow();
    file.write({ entries: [entry("b")], snapshots: [] });
    file.close();
    expect(told(path)).toEqual([
      [1, 0, "start", ""],
      [1, 1, "verdict", "Pod shop/b"],
    ]);
    expect(verified(path).broken).toBeUndefined();
  });
});

describe("tampering", () => {
  const NAMES = [
    ["a", "b"],
    ["c", "d"],
  ] as const;
  const COLUMNS = ["at", "kind", "subject", "body", "hash"] as const;

  test("a change of any character of any record is named at that record", () => {
    const path = ledgerPath();
    writeChains(path, NAMES);
    const records = all(path);
    const reader = new LedgerReader(path);
    const database = new DatabaseSync(path);
    database.exec("PRAGMA synchronous = OFF");
    for (const trigger of ["records_stay", "records_remain"]) database.exec(`DROP TRIGGER ${trigger}`);
    let changes = 0;
    for (const [index, record] of records.entries())
      for (const column of COLUMNS)
        for (const changed of changesOf(record[column])) {
          const set = database.prepare(`UPDATE records SET ${column} = ? WHERE id = ?`);
          set.run(changed, index + 1);
          const { chain, seq } = record;
          expect(reader.verify().broken, `${column} of ${chain}/${seq}`).toEqual({
            chain,
            seq,
            why: "it is not what was written",
          });
          set.run(record[column], index + 1);
          changes += 1;
        }
    database.close();
    reader.close();
    expect(changes).toBeGreaterThan(500);
    expect(verified(path).broken).toBeUndefined();
  });

  /** Every way to change one character, or the number by one. */
  function changesOf(value: string | number): readonly (string | number)[] {
    if (typeof value === "number") return [value + 1, value - 1];
    const flipped = Array.from(value, (character, index) => {
      const other = String.fromCharCode(character.charCodeAt(0) ^ 1);
      return value.slice(0, index) + other + value.slice(index + 1);
    });
    return [...flipped, `${value} `];
  }

  const swap = (a: number, b: number): readonly string[] => [
    `UPDATE records SET id = 99 WHERE id = ${a}`,
    `UPDATE records SET id = ${a} WHERE id = ${b}`,
    `UPDATE records SET id = ${b} WHERE id = 99`,
  ];
  const insertBefore = (id: number, from: number, seq: string): readonly string[] => [
    `UPDATE records SET id = -id - 1 WHERE id >= ${id}`,
    "UPDATE records SET id = -id WHERE id < 0",
    `INSERT INTO records SELECT ${id}, chain, ${seq}, at, kind, subject, body, hash FROM records WHERE id = ${from}`,
  ];
  const missing = (seq: number): string => `a record is missing: ${seq} was expected here`;
  const unjoined = "the chain before it does not end where this one says it did";

  /** Records by their place in the file: 1 is 1/0, 2 is 1/1, 3 is 1/2, 4 is 2/0, 5 is 2/1, 6 is 2/2. */
  test.each<[string, readonly string[], string, string]>([
    ["the first record of all removed", ["DELETE FROM records WHERE id = 1"], "1/1", missing(0)],
    ["one from the middle removed", ["DELETE FROM records WHERE id = 2"], "1/2", missing(1)],
    ["the last of an earlier chain removed", ["DELETE FROM records WHERE id = 3"], "2/0", unjoined],
    ["the start of a later chain removed", ["DELETE FROM records WHERE id = 4"], "2/1", missing(0)],
    ["the first chain removed", ["DELETE FROM records WHERE chain = 1"], "2/0", "a whole chain is missing before it"],
    ["a copy inserted", insertBefore(3, 2, "seq"), "1/1", missing(2)],
    ["a copy inserted in the place of the next", insertBefore(3, 2, "seq + 1"), "1/2", "it is not what was written"],
    ["two neighbours swapped", swap(2, 3), "1/2", missing(1)],
    ["two of different chains swapped", swap(3, 6), "2/2", missing(0)],
    ["the place changed", ["UPDATE records SET seq = 7 WHERE id = 2"], "1/7", missing(1)],
    ["the chain changed", ["UPDATE records SET chain = 2 WHERE id = 3"], "2/2", missing(0)],
  ])("%s", (_, statements, place, why) => {
    const path = ledgerPath();
    writeChains(path, NAMES);
    const [chain = 0, seq = 0] = place.split("/").map(Number);
    expect(verified(tampered(path, ...statements)).broken).toEqual({ chain, seq, why });
  });

  test("a history written anew with right hashes is found at the next start", () => {
    const path = ledgerPath();
    writeChains(path, NAMES);
    const [first] = all(path);
    const forged = entry("forged");
    const copy = tampered(
      path,
      "DELETE FROM records WHERE id = 3",
      `UPDATE records SET subject = '${forged.subject}', body = '${forged.body}',
       hash = '${hashOf(first?.hash ?? "", { chain: 1, seq: 1 }, forged)}' WHERE id = 2`,
    );
    expect(verified(copy).broken).toEqual({ chain: 2, seq: 0, why: unjoined });
  });

  test("a start that says nothing sensible is named, whatever its hash", () => {
    for (const body of ["not JSON", "null", "{}", '{"previous":7}', '{"previous":null}']) {
      const path = ledgerPath();
      writeChains(path, [["a"], []]);
      const forged: Entry = { kind: "start", subject: "", at: NOON, body };
      const closed = hashOf(NO_HASH, { chain: 2, seq: 0 }, forged);
      const copy = tampered(path, `UPDATE records SET body = '${body}', hash = '${closed}' WHERE id = 3`);
      expect(verified(copy).broken, body).toEqual({ chain: 2, seq: 0, why: unjoined });
    }
  });

  test("what is counted before the broken record is what verified", () => {
    const path = ledgerPath();
    writeChains(path, NAMES);
    const copy = tampered(path, "UPDATE records SET body = '{}' WHERE id = 5");
    expect(verified(copy)).toMatchObject({ chains: 2, records: 4, head: { chain: 2, seq: 0 } });
  });

  test("a catalogue's text that was changed is found", () => {
    const path = ledgerPath();
    const file = new LedgerFile(path, "1.2.3", NOON);
    file.write({ entries: [entry("a")], snapshots: [{ digest: sha256("roles"), text: "roles" }] });
    file.close();
    expect(verified(path).broken).toBeUndefined();
    expect(verified(tampered(path, "UPDATE snapshots SET text = 'holes'")).broken).toEqual({
      chain: 1,
      seq: 1,
      why: `snapshot ${sha256("roles").slice(0, 12)} is not what was stored`,
    });
  });
});

describe("the ledger of a server", () => {
  test("append resolves when a reader of its own finds the records", async () => {
    const path = ledgerPath();
    const { ledger } = await opened(path);
    await ledger.append([entry("a"), entry("b")]);
    expect(told(path).map(([, , , subject]) => subject)).toEqual(["", "Pod shop/a", "Pod shop/b"]);
    await Promise.all(["c", "d", "e"].map((name) => ledger.append([entry(name)])));
    expect(told(path).length).toBe(6);
    expect(ledger.figures()).toEqual({ queued: 0, written: 5, dropped: 0, failures: 0 });
  });

  test("what was offered is written in order, many to a record, and closing loses nothing", async () => {
    const path = ledgerPath();
    const { ledger } = await opened(path);
    const names = Array.from({ length: 3000 }, (_, index) => `p${index}`);
    for (const name of names) ledger.offer(entry(name));
    await ledger.close();
    expect(told(path).map(([, , kind, subject]) => [kind, subject])).toEqual([
      ["start", ""],
      ...names.map((name) => ["verdict", `Pod shop/${name}`]),
      ["stop", ""],
    ]);
    const database = new DatabaseSync(path, { readOnly: true });
    expect(database.prepare("SELECT kind, max(length(body)) < 65700 AS fits FROM records GROUP BY kind").all()).toEqual(
      [
        { kind: "start", fits: 1 },
        { kind: "stop", fits: 1 },
        { kind: "verdicts", fits: 1 },
      ],
    );
    database.close();
    expect(verified(path).broken).toBeUndefined();
  });

  test("what does not fit the queue is dropped, counted, and written down as a gap", async () => {
    const path = ledgerPath();
    const { ledger } = await opened(path, { limits: { records: 10 } });
    for (let index = 0; index < 25; index += 1) ledger.offer(entry(`p${index}`));
    expect(ledger.figures()).toEqual({ queued: 10, written: 0, dropped: 15, failures: 0 });
    await ledger.append([entry("after")]);
    const records = all(path);
    const gaps = records.filter(({ kind }) => kind === "gap");
    expect(gaps.map(({ body }) => JSON.parse(body))).toEqual([{ dropped: 15, since: NOON }]);
    expect(records.filter(({ kind }) => kind === "verdict").map(({ subject }) => subject)).toEqual(
      [...Array.from({ length: 10 }, (_, index) => `p${index}`), "after"].map((name) => `Pod shop/${name}`),
    );
    ledger.offer(entry("fits again"));
    await ledger.close();
    expect(all(path).filter(({ kind }) => kind === "gap").length).toBe(1);
  });

  test("the queue is bounded in bytes too", async () => {
    const { ledger } = await opened(ledgerPath(), { limits: { bytes: 1000 } });
    const large = { ...entry("large"), body: JSON.stringify("x".repeat(600)) };
    for (let index = 0; index < 5; index += 1) ledger.offer(large);
    expect(ledger.figures()).toMatchObject({ queued: 2, dropped: 3 });
  });

  test("a catalogue is recorded each time, and its text is stored once for each revision", async () => {
    const path = ledgerPath();
    const { ledger } = await opened(path);
    const [one, two] = ["one", "two"].map((text) => ({ digest: sha256(text), text }));
    if (!one || !two) throw new Error("two texts make two snapshots");
    for (const snapshot of [one, two, one]) ledger.remember(snapshot, NOON);
    await ledger.append([entry("a")]);
    expect(told(path).map(([, , kind, subject]) => [kind, subject])).toEqual([
      ["start", ""],
      ["catalogue", one.digest],
      ["catalogue", two.digest],
      ["catalogue", one.digest],
      ["verdict", "Pod shop/a"],
    ]);
    const database = new DatabaseSync(path, { readOnly: true });
    expect(database.prepare("SELECT count(*) AS texts FROM snapshots").get()).toEqual({ texts: 2 });
    database.close();
    expect(reading(path, (reader) => [reader.snapshot(one.digest), reader.snapshot("none")])).toEqual([
      "one",
      undefined,
    ]);
  });

  test("after closing, nothing is taken: an append rejects, an offer is counted as dropped", async () => {
    const { ledger } = await opened(ledgerPath());
    await ledger.close();
    await expect(ledger.append([entry("late")])).rejects.toThrow("the ledger is closed");
    ledger.offer(entry("late"));
    expect(ledger.figures().dropped).toBe(1);
  });

  test("whoever still waits when a closing ledger cannot write is told", async () => {
    const { ledger, failures } = await opened(ledgerPath());
    const unwritable = ledger.append([{ ...entry("unwritable"), at: 0.5 }]);
    await Promise.resolve();
    const waiting = ledger.append([entry("waiting")]);
    const ended = await Promise.allSettled([unwritable, waiting, ledger.close()]);
    expect(ended.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
    expect(failures.length).toBe(1);
  });

  test("opening rejects, with the reason, where another process holds it", async () => {
    const path = ledgerPath();
    await opened(path);
    await expect(opened(path)).rejects.toThrow("locked");
  });
});

test("a full disk stops nobody: offers wait, appends are told, and all is written once there is room", () => {
  const program = join(import.meta.dirname, "full-disk.ts");
  const node = `"${process.execPath}" "${program}"`;
  // A file system of its own where the kernel lets us have one, a limit on the size of files elsewhere.
  const run = spawnSync(
    "sh",
    ["-c", `unshare -Urm true 2>&- && exec unshare -Urm ${node} tmpfs || exec ${node} limit`],
    { encoding: "utf8" },
  );
  expect({ status: run.status, err: run.stderr }).toEqual({ status: 0, err: "" });
  expect(JSON.parse(run.stdout)).toEqual({
    full: "rejected",
    isSaid: true,
    dropped: 0,
    queuedWhileFull: 400,
    verdicts: 402,
    broken: null,
    rejectedIsAbsent: true,
    isFailing: true,
    failing: "nothing",
  });
});
