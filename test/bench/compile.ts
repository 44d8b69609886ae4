import process from "node:process";
import type { Catalogue } from "../../src/domain/catalogue.ts";
import { type Doors, doorsOf } from "../../src/policy/compile/doors.ts";
import { TARGET_NAMES, TARGETS } from "../../src/policy/compile/targets.ts";
import { compileIntent } from "../../src/policy/intent/intent.ts";
import { type Figures, machine, median, peakMb, round } from "./figures.ts";
import { judgeOnce, SITE, timed, withOneChanged } from "./judge.ts";
import { fleetOf } from "./traffic.ts";

const MOST_ROUNDS = 9;
/** Compiles a catalogue for every target, beside doors of before where there are some. */
function compileOnce(catalogue: Catalogue, before?: Doors): Doors {
  const doors = doorsOf(compileIntent(catalogue, before?.intent), SITE, 0, before);
  for (const name of TARGET_NAMES) TARGETS[name].compile(doors);
  return doors;
}

/**
 * Definitions to the objects of all targets: whole, and again after one sentence has changed; and the same to NetworkPolicies
 * with the comparison of what they admit and what is meant. There is no floor.
 */
export function compileBench(size: number, seconds: number): Promise<Figures> {
  const fleet = fleetOf(size);
  const { catalogue } = fleet;
  const [full, incremental]: [number[], number[]] = [[], []];
  const cpu = process.cpuUsage();
  const until = performance.now() + seconds * 1000;
  while (full.length === 0 || (full.length < MOST_ROUNDS && performance.now() < until)) {
    const [doors, fullMs] = timed(() => compileOnce(catalogue));
    full.push(fullMs);
    const changed = withOneChanged(catalogue, full.length);
    incremental.push(timed(() => compileOnce(changed, doors))[1]);
  }
  const { user, system } = process.cpuUsage(cpu);
  const fullMs = median(full);
  const rssMb = peakMb(process.pid);
  const { judgedMs, judgedAgainMs } = judgeOnce(fleet);
  return Promise.resolve({
    name: "compile",
    size,
    opsPerSec: round(1000 / fullMs),
    floorOpsPerSec: null,
    ratio: null,
    p50Ms: round(fullMs),
    p99Ms: round(Math.max(...full)),
    rssMb,
    cpuSecPer1000: round(((user + system) / 1e6 / full.length / size) * 1000, 4),
    machine: machine(),
    fullMs: round(fullMs, 0),
    incrementalMs: round(median(incremental)),
    judgedMs: round(judgedMs, 0),
    judgedAgainMs: round(judgedAgainMs),
  });
}
