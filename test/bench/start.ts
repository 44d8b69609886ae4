import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild, startSignet } from "./children.ts";
import { type Figures, machine, median, peakMb, round } from "./figures.ts";

const STARTS = 5;

/** From the process' start until it serves; the first start, which makes authority and example, is told apart. */
export async function start(_size: number, _seconds: number): Promise<Figures> {
  const state = mkdtempSync(join(tmpdir(), "signet-bench-"));
  const ready: number[] = [];
  let rss = 0;
  try {
    for (let count = 0; count < STARTS + 1; count++) {
      const child = await startSignet(state);
      if (count > 0) ready.push(child.readyMs);
      rss = Math.max(rss, peakMb(child.pid));
      await child.end();
    }
  } finally {
    rmSync(state, { recursive: true });
  }
  const bare: number[] = [];
  for (let count = 0; count < STARTS; count++) bare.push(await bareStart());
  const readyMs = round(median(ready), 0);
  return {
    name: "start",
    size: 1,
    opsPerSec: null,
    floorOpsPerSec: null,
    ratio: null,
    p50Ms: readyMs,
    p99Ms: round(Math.max(...ready), 0),
    rssMb: rss,
    cpuSecPer1000: null,
    machine: machine(),
    readyMs,
    floorMs: round(median(bare), 0),
  };
}

/** Node's own start, up to its first line. */
async function bareStart(): Promise<number> {
  const line =
    "process.stdout.write('port 1\\n'); process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1e6)";
  const child = await startChild(["-e", line], /port (\d+)/);
  await child.end();
  return child.readyMs;
}
