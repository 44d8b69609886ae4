import process from "node:process";
import { openLedger } from "../../src/store/ledger.ts";

/** Writes to the ledger of its argument until it is killed, and prints the name of each record once it is durable. */
const path = process.argv[2] ?? "";
const run = process.argv[3] ?? "";
const ledger = await openLedger({ path, version: "1", now: () => 1, failed: () => process.exit(1) });
const entry = (name: string) => ({ kind: "issuance", subject: name, at: 1, body: JSON.stringify({ name }) });

/** Several at once, so that batches are in every state when the end comes. */
async function write(writer: number): Promise<never> {
  for (let index = 0; ; index += 1) {
    const name = `${run}.${writer}.${index}`;
    ledger.offer({ ...entry(name), kind: "verdict" });
    await ledger.append([entry(name)]);
    process.stdout.write(`${name}\n`);
  }
}

await Promise.all([0, 1, 2, 3].map(write));
