import process from "node:process";
import { compileIntent } from "../../src/policy/intent/intent.ts";
import { openPairs, reachOf } from "../../src/policy/reach/matrix.ts";
import { type Figures, machine, median, peakMb, round } from "./figures.ts";
import { judgeOnce } from "./judge.ts";
import { type Fleet, fleetOf } from "./traffic.ts";

const MOST_ROUNDS = 9;

/** Everything from definitions to the count of all open pairs, in milliseconds of one round. */
export function reachOnce({ catalogue, ends }: Fleet): { readonly compileMs: number; readonly reachMs: number } {
  const started = performance.now();
  const intent = compileIntent(catalogue);
  const compiled = performance.now();
  openPairs(reachOf({ intent, policies: [], ends, now: 0 }));
  return { compileMs: compiled - started, reachMs: performance.now() - started };
}

/**
 * Full reachability of so many workloads, all pairs, with the widening check: what is compiled for them is compared with what
 * is meant. `opsPerSec` counts pairs decided. There is no floor. Memory is what one round takes, as in a command that asks once;
 * later rounds begin beside what is left of those before.
 */
export function reach(size: number, seconds: number): Promise<Figures> {
  let rssMb = 0;
  const times: number[] = [];
  const parts: { readonly reachMs: number; readonly judgedMs: number }[] = [];
  const cpu = process.cpuUsage();
  const until = performance.now() + seconds * 1000;
  while (times.length === 0 || (times.length < MOST_ROUNDS && performance.now() < until)) {
    const fleet = fleetOf(size);
    const part = { ...reachOnce(fleet), ...judgeOnce(fleet) };
    parts.push(part);
    times.push(part.reachMs + part.judgedMs);
    if (times.length === 1) rssMb = peakMb(process.pid);
  }
  const { user, system } = process.cpuUsage(cpu);
  const fullMs = median(times);
  return Promise.resolve({
    name: "reach",
    size,
    opsPerSec: round((size * (size - 1)) / (fullMs / 1000), 0),
    floorOpsPerSec: null,
    ratio: null,
    p50Ms: round(fullMs),
    p99Ms: round(Math.max(...times)),
    rssMb,
    cpuSecPer1000: round(((user + system) / 1e6 / times.length / size) * 1000, 4),
    machine: machine(),
    fullMs: round(fullMs, 0),
    reachMs: round(median(parts.map(({ reachMs }) => reachMs)), 0),
    judgedMs: round(median(parts.map(({ judgedMs }) => judgedMs)), 0),
  });
}
