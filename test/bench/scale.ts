import process from "node:process";
import { type Figures, machine, median, peakMb, quantile, round } from "./figures.ts";
import { reachOnce } from "./reach.ts";
import { verdictTimes } from "./verdict.ts";

const STEPS = [1000, 3000, 10_000, 30_000];
const ROUNDS = 3;
const VERDICTS = 60_000;

/** What it costs at one size. `exponent`: how the time for all pairs grew since the size before; n·log n is about 1.1. */
export type Cost = {
  readonly size: number;
  readonly compileMs: number;
  readonly reachMs: number;
  readonly verdictP99Us: number;
  readonly rssMb: number;
  readonly exponent: number | null;
};

/** Costs at 1,000 to `size` workloads, growing. */
export function scale(size: number, _seconds: number): Promise<Figures> {
  const growth: Cost[] = [];
  for (const step of STEPS.filter((each) => each <= size)) growth.push(costAt(step, growth.at(-1)));
  const last = growth.at(-1);
  return Promise.resolve({
    name: "scale",
    size,
    opsPerSec: null,
    floorOpsPerSec: null,
    ratio: null,
    p50Ms: null,
    p99Ms: null,
    rssMb: peakMb(process.pid),
    cpuSecPer1000: null,
    machine: machine(),
    growth,
    ...(last ? { fullMs: last.reachMs, p99Us: last.verdictP99Us } : {}),
  });
}

function costAt(size: number, before: Cost | undefined): Cost {
  reachOnce(Math.min(size, 1000));
  const rounds = Array.from({ length: ROUNDS }, () => reachOnce(size));
  const reachMs = median(rounds.map(({ fullMs }) => fullMs));
  return {
    size,
    compileMs: round(median(rounds.map(({ compileMs }) => compileMs))),
    reachMs: round(reachMs),
    verdictP99Us: round(quantile(verdictTimes(size, VERDICTS), 0.99)),
    rssMb: peakMb(process.pid),
    exponent: before ? round(Math.log(reachMs / before.reachMs) / Math.log(size / before.size)) : null,
  };
}
