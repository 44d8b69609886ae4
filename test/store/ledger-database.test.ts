import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { LedgerFile } from "../../src/store/ledger-file.ts";
import { LedgerReader } from "../../src/store/ledger-reader.ts";
import { LocalLedger } from "../../src/store/postgres/local-ledger.ts";
import { ledgerPath, NOON, writeChains } from "./ledgers.ts";

/** Holds the file as SQLite does while it opens or closes it, and lets go after a moment. */
const HOLDS = `
  const { DatabaseSync } = require("node:sqlite");
  const { parentPort, workerData } = require("node:worker_threads");
  const database = new DatabaseSync(workerData);
  database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
  parentPort.postMessage("held");
  setTimeout(() => database.close(), 300);
`;

test.each<[string, (path: string) => { readonly close: () => void }]>([
  ["the command line reads it", (path) => new LedgerReader(path)],
  ["a copy is made of it", (path) => new LocalLedger(path)],
  ["a server writes it", (path) => new LedgerFile(path, "test", NOON)],
])("a ledger that somebody else opens or closes at that moment is waited for, where %s", async (_, open) => {
  const path = ledgerPath();
  writeChains(path, [["a"]]);
  const holder = new Worker(HOLDS, { eval: true, workerData: path });
  await once(holder, "message");
  open(path).close();
  await holder.terminate();
  const reader = new LedgerReader(path);
  onTestFinished(() => reader.close());
  expect(reader.verify().broken).toBeUndefined();
});
