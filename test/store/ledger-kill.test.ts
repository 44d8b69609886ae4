import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { ledgerPath, reading, verified, writeChains } from "./ledgers.ts";

const WRITER = join(import.meta.dirname, "acknowledging.ts");
const KILLS = 4;

/** Runs a writer, ends it with SIGKILL at some moment after its first word, and gives what it had acknowledged. */
async function killedWriter(path: string, run: number, afterMs: number): Promise<readonly string[]> {
  const writer = spawn(process.execPath, [WRITER, path, `${run}`], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  writer.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const closed = once(writer, "close");
  await Promise.race([once(writer.stdout, "data"), closed]);
  await pause(afterMs);
  writer.kill("SIGKILL");
  expect(await closed).toEqual([null, "SIGKILL"]);
  // What stands behind the last line end was cut off by the kill.
  return said.split("\n").slice(0, -1);
}

test("killed at any instant, the ledger verifies and holds every acknowledged record", {
  timeout: 30_000,
}, async () => {
  const path = ledgerPath();
  const acknowledged: string[] = [];
  for (let run = 1; run <= KILLS; run += 1) {
    const afterMs = Math.random() * 150;
    const told = await killedWriter(path, run, afterMs);
    expect(told.length).toBeGreaterThan(0);
    acknowledged.push(...told);
    const note = `killed ${afterMs} ms after the first record`;
    expect(verified(path), note).not.toHaveProperty("broken");
    const held = new Set(reading(path, (reader) => reader.records({ kind: "issuance" })).map(({ subject }) => subject));
    expect(
      acknowledged.filter((name) => !held.has(name)),
      note,
    ).toEqual([]);
  }
  writeChains(path, [["after"]]);
  expect(verified(path)).toMatchObject({ chains: KILLS + 1, head: { chain: KILLS + 1, seq: 1 } });
  expect(verified(path)).not.toHaveProperty("broken");
});
