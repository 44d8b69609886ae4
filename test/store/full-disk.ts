import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { openLedger } from "../../src/store/ledger.ts";
import { LedgerReader } from "../../src/store/ledger-reader.ts";

/** Writes a ledger, fills its disk, makes room again, and prints what the ledger did. Its argument: `tmpfs` or `limit`. */
const folder = mkdtempSync(join(tmpdir(), "signet-full-"));
const path = join(folder, "ledger.db");
const filler = join(folder, "filler");

const limitFiles = (bytes: string): unknown =>
  execFileSync("prlimit", ["--pid", `${process.pid}`, `--fsize=${bytes}:`]);

const disk =
  process.argv[2] === "tmpfs"
    ? { prepare: mount, fill: fillDisk, free: () => rmSync(filler), leave: () => execFileSync("umount", [folder]) }
    : { prepare: () => 0, fill: () => limitFiles("32768"), free: () => limitFiles("unlimited"), leave: () => 0 };

function mount(): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]);
}

function fillDisk(): void {
  const file = openSync(filler, "w");
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch {
    closeSync(file);
  }
}

const entry = (name: string) => ({ kind: "verdict", subject: name, at: 1, body: JSON.stringify("x".repeat(500)) });

disk.prepare();
const reasons: string[] = [];
const ledger = await openLedger({
  path,
  version: "1",
  now: () => 1,
  failed: (reason) => void reasons.push(reason),
  limits: { gatherMs: 5, retryMs: 20 },
});
await ledger.append([entry("before")]);
disk.fill();
for (let index = 0; index < 400; index += 1) ledger.offer(entry(`offered ${index}`));
const full = await ledger.append([entry("refused")]).then(
  () => "written",
  () => "rejected",
);
while (ledger.figures().failures < 5) await pause(5);
const queuedWhileFull = ledger.figures().queued;
const isFailing = /full|disk/.test(ledger.figures().failing ?? "");
disk.free();
while (ledger.figures().queued > 0) await pause(5);
await ledger.append([entry("after")]);
const { dropped, failing = "nothing" } = ledger.figures();
await ledger.close();
const reader = new LedgerReader(path);
const verdicts = reader.records({ kind: "verdict" });
const { broken = null } = reader.verify();
reader.close();
disk.leave();
rmSync(folder, { recursive: true });
const isSaid = reasons.every((reason) => /full|disk/.test(reason));
const rejectedIsAbsent = verdicts.every(({ subject }) => subject !== "refused");
process.stdout.write(
  JSON.stringify({
    full,
    isSaid,
    dropped,
    queuedWhileFull,
    verdicts: verdicts.length,
    broken,
    rejectedIsAbsent,
    isFailing,
    failing,
  }),
);
