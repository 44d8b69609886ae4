import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { hashOf, NO_HASH } from "../../src/store/chain.ts";
import { LedgerFile } from "../../src/store/ledger-file.ts";
import { headPath, readHead } from "../../src/store/sealed-head.ts";
import { entry, ledgerPath, NOON, opened, reading, verified, writeChains } from "./ledgers.ts";

/** Does to a ledger's file what SQL may not. */
function behindItsBack(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  for (const table of ["records", "snapshots"])
    database.exec(`DROP TRIGGER ${table}_stay; DROP TRIGGER ${table}_remain;`);
  database.exec(sql);
  database.close();
}

/** A ledger of one chain: 1/0 start, 1/1 a, 1/2 b. */
function written(): string {
  const path = ledgerPath();
  writeChains(path, [["a", "b"]]);
  return path;
}

describe("what a ledger's signed head tells", () => {
  test("a closed ledger's head is its last record, signed by the key that its chain's start names", () => {
    const path = written();
    const head = readHead(headPath(path));
    const [start] = reading(path, (reader) => reader.records({}));
    expect(head).toMatchObject({ ...verified(path).head, at: NOON, key: JSON.parse(start?.body ?? "").key });
  });

  test("the loss of the newest chain's last records is found", () => {
    const path = written();
    behindItsBack(path, "DELETE FROM records WHERE id = 3");
    expect(verified(path).broken).toEqual({
      chain: 1,
      seq: 1,
      why: "records behind it are missing: a signed head says 1/2",
    });
  });

  test("the loss of whole newest chains is found", () => {
    const path = written();
    writeChains(path, [["c"]]);
    behindItsBack(path, "DELETE FROM records WHERE chain = 2");
    expect(verified(path).broken?.why).toBe("records behind it are missing: a signed head says 2/1");
  });

  test("a last record written anew with a right hash is found", () => {
    const path = written();
    const [, before] = reading(path, (reader) => reader.records({}));
    const forged = entry("forged");
    const closed = hashOf(before?.hash ?? NO_HASH, { chain: 1, seq: 2 }, forged);
    behindItsBack(
      path,
      `UPDATE records SET subject = '${forged.subject}', body = '${forged.body}', hash = '${closed}' WHERE id = 3`,
    );
    expect(verified(path).broken?.why).toBe("records behind it are missing: a signed head says 1/2");
  });

  test("a start after a loss says so in the chain, where it stays", () => {
    const path = written();
    behindItsBack(path, "DELETE FROM records WHERE id = 3");
    writeChains(path, [["c"]]);
    expect(verified(path).broken).toEqual({
      chain: 2,
      seq: 0,
      why: "records were missing when it began: a signed head said 1/2",
    });
  });

  test("a ledger that was put in the place of another does not begin again from nothing", () => {
    const path = written();
    rmSync(path);
    writeChains(path, [["c"]]);
    expect(verified(path).broken).toEqual({ chain: 2, seq: 0, why: "a whole chain is missing before it" });
  });

  test("a head that is gone or that its key has not signed is found, now and after the next start", () => {
    for (const spoil of [
      (head: string) => rmSync(head),
      (head: string) => writeFileSync(head, readFileSync(head, "utf8").replace('"seq":2', '"seq":1')),
    ]) {
      const path = written();
      spoil(headPath(path));
      expect(verified(path).broken?.why).toBe("there is no signed head beside the ledger that can be read");
      writeChains(path, [["c"]]);
      expect(verified(path).broken).toEqual({
        chain: 2,
        seq: 0,
        why: "no signed head could be read when it began: records may have been lost",
      });
    }
  });

  test("a head that another key signed is none of this ledger", () => {
    const path = written();
    const other = written();
    copyFileSync(headPath(other), headPath(path));
    expect(verified(path).broken?.why).toBe("records behind it are missing: a signed head says 1/2");
  });

  test("a head that was kept elsewhere tells what the one beside the ledger was made to forget", () => {
    const path = written();
    const early = readHead(headPath(path));
    writeChains(path, [["c"]]);
    const kept = readHead(headPath(path));
    const copy = ledgerPath();
    for (const name of [(at: string) => at, headPath]) copyFileSync(name(path), name(copy));
    behindItsBack(path, "DELETE FROM records WHERE chain = 2");
    writeFileSync(headPath(path), JSON.stringify(early));
    expect(verified(path)).not.toHaveProperty("broken");
    const against = (at: string) => reading(at, (reader) => reader.verify(kept).broken?.why);
    expect([against(path), against(copy)]).toEqual([
      "records behind it are missing: a signed head says 2/1",
      undefined,
    ]);
  });

  test("a running server's head follows its records, without anybody closing it", async () => {
    const path = ledgerPath();
    const { ledger } = await opened(path);
    await ledger.append([entry("a")]);
    await expect.poll(() => readHead(headPath(path)), { timeout: 20_000 }).toMatchObject({ chain: 1, seq: 1 });
  });

  test("a signing key that cannot be read stops the start, in words", () => {
    const path = written();
    const key = join(dirname(path), "head-key.pem");
    writeFileSync(key, "no key");
    expect(() => new LedgerFile(path, "1.2.3", NOON)).toThrow(
      `${key} is not the key that signs the ledger's heads; put it back from a backup, or move it away and a new key is made, which the next chain names`,
    );
  });
});

describe("snapshots", () => {
  const DIGEST = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945";

  test("a catalogue's text that was deleted is found at the record that names it", async () => {
    const path = ledgerPath();
    const { ledger } = await opened(path);
    ledger.remember({ digest: DIGEST, text: "[]" }, NOON);
    await ledger.close();
    expect(verified(path)).not.toHaveProperty("broken");
    behindItsBack(path, "DELETE FROM snapshots");
    expect(verified(path).broken).toEqual({ chain: 1, seq: 1, why: "snapshot 4f53cda18c2b is missing" });
  });
});

describe("a record that can never be written", () => {
  /** SQLite refuses every record about `poison`. */
  function poisoned(path: string): void {
    const file = new LedgerFile(path, "1.2.3", NOON);
    file.close();
    const database = new DatabaseSync(path);
    database.exec(
      "CREATE TRIGGER poison BEFORE INSERT ON records WHEN instr(NEW.body, 'poison') BEGIN SELECT RAISE(ABORT, 'never'); END",
    );
    database.close();
  }

  test("does not hold the others up: a gap stands in its place, and it is counted", async () => {
    const path = ledgerPath();
    poisoned(path);
    const { ledger, failures } = await opened(path, { limits: { gatherMs: 1, retryMs: 5 } });
    for (const name of ["a", "poison", "b"]) ledger.offer(entry(name));
    await expect.poll(() => ledger.figures(), { timeout: 20_000 }).toMatchObject({ queued: 0, written: 2, dropped: 1 });
    expect(failures).toEqual(["never", "never", "never"]);
    const told = reading(path, (reader) => reader.records({})).slice(-3);
    expect(told.map(({ kind, subject, body }) => [kind, subject, JSON.parse(body)])).toEqual([
      ["verdict", "Pod shop/a", { name: "a" }],
      ["gap", "", { dropped: 1, since: NOON, refused: "never" }],
      ["verdict", "Pod shop/b", { name: "b" }],
    ]);
    expect(verified(path)).not.toHaveProperty("broken");
  });

  test("whoever waits for it is told at once", async () => {
    const path = ledgerPath();
    poisoned(path);
    const { ledger } = await opened(path, { limits: { retryMs: 5 } });
    await expect(ledger.append([entry("poison")])).rejects.toThrow("never");
    await ledger.append([entry("b")]);
    expect(ledger.figures()).toMatchObject({ queued: 0, written: 1, dropped: 0 });
  });
});
