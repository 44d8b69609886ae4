import process from "node:process";
import { openLedger } from "../../src/store/ledger.ts";
import { copyLedger } from "../../src/store/postgres/copy.ts";
import type { DatabaseSettings } from "../../src/store/postgres/settings.ts";

/** Writes and copies a ledger until it is killed, and prints the subject of each record once it is durable. */
const [, , path = "", run = "", settings = ""] = process.argv;
const ledger = await openLedger({ path, version: "1", now: Date.now, failed: () => process.exit(1) });
copyLedger(path, JSON.parse(settings) as DatabaseSettings, { failed: () => undefined, mended: () => undefined });
for (let index = 0; ; index += 1) {
  const subject = `${run}.${index}`;
  await ledger.append([{ kind: "issuance", subject, at: Date.now(), body: "{}" }]);
  process.stdout.write(`${subject}\n`);
}
