import { spawn, spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openOwnLedger } from "../../src/bin/server-parts.ts";
import type { Entry } from "../../src/store/chain.ts";
import { LedgerReader } from "../../src/store/ledger-reader.ts";
import { openLedger } from "../../src/store/ledger.ts";
import { copyLedger } from "../../src/store/postgres/copy.ts";
import { LocalLedger } from "../../src/store/postgres/local-ledger.ts";
import { CopyReader, type CopyVerification } from "../../src/store/postgres/reader.ts";
import { type Progress, Shipper } from "../../src/store/postgres/shipper.ts";
import { readServerConfig } from "../../src/wire/config.ts";
import { must } from "../fakes/judging.ts";
import { quietLog } from "../fakes/quiet-log.ts";
import { Postgres } from "./postgres.ts";

const CLI = join(import.meta.dirname, "../../src/bin/cli.ts");
const PATIENCE = { timeout: 60_000, interval: 50 };

let postgres: Postgres;
beforeAll(async () => {
  postgres = new Postgres();
  await postgres.start();
}, 60_000);
afterAll(() => postgres.remove(), 60_000);

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "signet-copy-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

const entry = (subject: string, body: object = {}): Entry => ({
  kind: "issuance",
  subject,
  at: Date.parse("2026-11-23T12:00:00Z"),
  body: JSON.stringify(body),
});

/** A ledger that is written and copied, ended after the test. */
async function copied(path = join(folder(), "ledger.db")) {
  const said: string[] = [];
  const ledger = await openLedger({ path, version: "1", now: Date.now, failed: (reason) => said.push(reason) });
  const copy = copyLedger(path, postgres.settings, {
    failed: (reason) => said.push(reason),
    mended: () => said.push("mended"),
  });
  const end = async (): Promise<void> => {
    await ledger.close();
    await copy.close(20_000);
  };
  return { path, ledger, copy, said, end };
}

async function reading<T>(use: (reader: CopyReader) => Promise<T>): Promise<T> {
  const reader = await CopyReader.open(postgres.settings);
  try {
    return await use(reader);
  } finally {
    await reader.close();
  }
}

const local = (path: string) => {
  const reader = new LedgerReader(path);
  try {
    return { records: reader.records({}), found: reader.verify() };
  } finally {
    reader.close();
  }
};

/** The name of a ledger among the copies: what its first start called itself. */
const nameOf = (path: string): string => JSON.parse(local(path).records[0]?.body ?? "{}").id as string;

const verifiedCopy = (path: string): Promise<CopyVerification | undefined> =>
  reading(async (reader) => {
    const name = nameOf(path);
    return (await reader.verify()).find(({ ledger }) => ledger === name);
  });

type Placed = { readonly chain: number; readonly seq: number };
const inOrder = (a: Placed, b: Placed): number => a.chain - b.chain || a.seq - b.seq;

const copyOf = (path: string) =>
  reading(async (reader) => {
    const name = nameOf(path);
    const records = (await reader.records({})).filter(({ ledger }) => ledger === name);
    return records.map(({ ledger: _, ...record }) => record).toSorted(inOrder);
  });

/** The records of the local file, without their numbers in it. */
const recordsOf = (path: string) =>
  local(path).records.map(({ chain, seq, at, kind, subject, body, hash: closed }) => ({
    chain,
    seq,
    at,
    kind,
    subject,
    body,
    hash: closed,
  }));

describe("the copy of a ledger", () => {
  test("is the same chain, record by record, with its catalogues and its signed head", async () => {
    const { path, ledger, end } = await copied();
    ledger.remember({ digest: hash("sha256", "[]"), text: "[]" }, 1);
    await ledger.append([entry("a"), entry('nul \u0000 and "quotes"'), entry("𝄞", { text: "é\u0000" })]);
    await end();
    expect(await copyOf(path)).toEqual(recordsOf(path));
    expect(await verifiedCopy(path)).toEqual({ ledger: nameOf(path), ...local(path).found });
    expect(await reading((reader) => reader.snapshot(hash("sha256", "[]")))).toBe("[]");
  });

  test("cannot be changed or deleted by SQL", async () => {
    for (const statement of [
      "UPDATE signet_records SET body = ''",
      "DELETE FROM signet_records",
      "TRUNCATE signet_records",
      "UPDATE signet_snapshots SET text = ''",
      "DELETE FROM signet_snapshots",
    ])
      await expect(postgres.query(statement)).rejects.toThrow("the ledger is append-only");
  });

  test("shows what was done to it behind its back", async () => {
    const { path, ledger, end } = await copied();
    await ledger.append([entry("a"), entry("b")]);
    await end();
    const tamper = (statement: string) =>
      postgres.query(
        `ALTER TABLE signet_records DISABLE TRIGGER ALL; ${statement}; ALTER TABLE signet_records ENABLE TRIGGER ALL`,
      );
    const ours = `ledger = '${nameOf(path)}'`;
    await tamper(`DELETE FROM signet_records WHERE ${ours} AND seq = 3`);
    expect((await verifiedCopy(path))?.broken).toEqual({
      chain: 1,
      seq: 2,
      why: "records behind it are missing: a signed head says 1/3",
    });
    await tamper(`UPDATE signet_records SET subject = 'c' WHERE ${ours} AND seq = 2`);
    expect((await verifiedCopy(path))?.broken).toEqual({ chain: 1, seq: 2, why: "it is not what was written" });
    await tamper(`DELETE FROM signet_records WHERE ${ours}`);
    expect((await verifiedCopy(path))?.broken?.why).toBe("records behind it are missing: a signed head says 1/3");
  });

  test("is told apart from a file that holds another history under its name", async () => {
    const { path, ledger, end } = await copied();
    await ledger.append([entry("a")]);
    await end();
    await postgres.query(
      `INSERT INTO signet_records SELECT ledger, chain, seq + 1, at, kind, subject, body, escaped, 'other' FROM signet_records WHERE ledger = '${nameOf(path)}' AND seq = 2`,
    );
    const again = await copied(path);
    await expect
      .poll(() => again.said[0], PATIENCE)
      .toBe("the database holds record 1/3, and this file holds another or none there");
    await again.end();
  });
});

test("entries of several ledgers are read in the order of time, those of a group too", async () => {
  const [one, other] = [await copied(), await copied()];
  const at = Date.parse("2027-01-01T00:00:00Z");
  const verdict = (subject: string, ms: number): Entry => ({ ...entry(subject), kind: "verdict", at: at + ms });
  for (const [subject, ms] of [
    ["first", 1],
    ["fourth", 4],
    ["second", 2],
  ] as const)
    one.ledger.offer(verdict(subject, ms));
  await other.ledger.append([verdict("third", 3)]);
  await Promise.all([one.end(), other.end()]);
  expect(local(one.path).records.filter(({ kind }) => kind === "verdict")).toHaveLength(3);
  const subjects = async (limit?: number) => {
    const filter = { kind: "verdict", since: at, ...(limit === undefined ? {} : { limit }) };
    return (await reading((reader) => reader.records(filter))).map(({ subject }) => subject);
  };
  expect([await subjects(), await subjects(2)]).toEqual([
    ["first", "second", "third", "fourth"],
    ["third", "fourth"],
  ]);
});

describe("an outage", () => {
  test("of the database holds nobody up, is told, and loses nothing", { timeout: 90_000 }, async () => {
    const { path, ledger, copy, said, end } = await copied();
    await ledger.append([entry("before")]);
    await expect.poll(() => copy.progress(), PATIENCE).toEqual({ shipped: 2, behind: 0 });
    await postgres.kill();
    for (let index = 0; index < 200; index += 1) {
      ledger.offer(entry(`offered ${index}`));
      if (index % 20 === 0) await ledger.append([entry(`appended ${index}`)]);
    }
    await ledger.append([entry("during")]);
    await expect.poll(() => copy.progress(), PATIENCE).toMatchObject({ behind: 22, failing: expect.anything() });
    expect(ledger.figures()).toMatchObject({ failures: 0, dropped: 0 });
    await postgres.start();
    await expect.poll(() => copy.progress().behind, PATIENCE).toBe(0);
    expect(said.at(-1)).toBe("mended");
    await end();
    expect(await copyOf(path)).toEqual(recordsOf(path));
    expect(await verifiedCopy(path)).not.toHaveProperty("broken");
  });

  test("that is over when Signet ends costs the copy nothing, though the next try was far away", {
    timeout: 90_000,
  }, async () => {
    const path = join(folder(), "ledger.db");
    const ledger = await openLedger({ path, version: "1", now: Date.now, failed: () => undefined });
    onTestFinished(() => ledger.close());
    await ledger.append([entry("during")]);
    await postgres.kill();
    const told: Progress[] = [];
    const parts = { local: new LocalLedger(path), settings: postgres.settings, random: () => 0.5 };
    const paused: number[] = [];
    const never = (ms: number): Promise<void> => new Promise(() => paused.push(ms));
    const shipper = new Shipper({ ...parts, told: (progress) => told.push(progress), pause: never });
    const running = shipper.run();
    await expect.poll(() => paused.length, PATIENCE).toBe(1);
    await postgres.start();
    await ledger.append([entry("late")]);
    shipper.end();
    await running;
    expect(told).toEqual([
      { shipped: 0, behind: 2, failing: expect.anything() as string },
      { shipped: 0, behind: 3, failing: expect.anything() as string },
      { shipped: 3, behind: 0 },
    ]);
    expect(await copyOf(path)).toEqual(recordsOf(path));
  });

  test("that outlasts Signet is tried once more, and the log says how far the copy is behind", {
    timeout: 90_000,
  }, async () => {
    const warned: unknown[][] = [];
    const log = { ...quietLog, warn: (...line: unknown[]) => void warned.push(line) };
    const state = folder();
    await postgres.kill();
    const config = must(readServerConfig(undefined, {}));
    const ledger = await openOwnLedger({ ...config, state, database: postgres.settings }, log);
    await ledger.append([entry("during")]);
    await ledger.close();
    await postgres.start();
    expect(warned.at(-1)).toEqual([
      { behind: 3 },
      "The copy in PostgreSQL is behind: the last records are in the state folder alone.",
    ]);
  });

  test("of Signet, at any instant, leaves neither a gap nor a double", { timeout: 90_000 }, async () => {
    const path = join(folder(), "ledger.db");
    const acknowledged: string[] = [];
    for (let run = 1; run <= 3; run += 1) acknowledged.push(...(await killed(path, run)));
    const { end } = await copied(path);
    await end();
    const held = new Set((await copyOf(path)).map(({ subject }) => subject));
    expect(acknowledged.length).toBeGreaterThan(3);
    expect(acknowledged.filter((subject) => !held.has(subject))).toEqual([]);
    expect(await copyOf(path)).toEqual(recordsOf(path));
    expect(await verifiedCopy(path)).not.toHaveProperty("broken");
  });

  /** A process that writes and copies, killed at some moment after its first word; gives what it had acknowledged. */
  async function killed(path: string, run: number): Promise<readonly string[]> {
    const script = join(import.meta.dirname, "copying.ts");
    const child = spawn(process.execPath, [script, path, `${run}`, JSON.stringify(postgres.settings)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => void (said += chunk.toString()));
    const closed = once(child, "close");
    await Promise.race([once(child.stdout, "data"), closed]);
    await pause(Math.random() * 600);
    child.kill("SIGKILL");
    expect(await closed).toEqual([null, "SIGKILL"]);
    return said.split("\n").slice(0, -1);
  }
});

test("a server copies its ledger where it is configured, and the command line reads the copy", {
  timeout: 90_000,
}, async () => {
  const at = folder();
  const { host, name, user } = postgres.settings;
  const config = join(at, "server.yaml");
  writeFileSync(
    config,
    JSON.stringify({ listen: "127.0.0.1:0", state: join(at, "state"), database: { host, name, user } }),
  );
  const server = spawn(process.execPath, [CLI, "server", "--config", config], { stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(server, "exit");
  onTestFinished(() => void server.kill("SIGKILL"));
  let said = "";
  server.stdout.on("data", (chunk: Buffer) => void (said += chunk.toString()));
  await expect.poll(() => said, PATIENCE).toContain("Try:");
  server.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
  const { found } = local(join(at, "state", "ledger.db"));
  const run = (...args: readonly string[]) =>
    JSON.parse(
      spawnSync(process.execPath, [CLI, "ledger", ...args, "--database", config, "-o", "json"], { encoding: "utf8" })
        .stdout,
    ) as { readonly ledgers: readonly object[] };
  const ledger = nameOf(join(at, "state", "ledger.db"));
  expect(run("verify").ledgers).toContainEqual({ ledger, ...found });
  expect(run("show", "--kind", "start", "--limit", "1")).toMatchObject({ ledger, chain: 1, seq: 0, kind: "start" });
});
