import process from "node:process";
import { type Figures, machine, median, peakMb, quantile, round } from "./figures.ts";
import { judgeOnce } from "./judge.ts";
import { reachOnce } from "./reach.ts";
import { fleetOf } from "./traffic.ts";
import { verdictTimes } from "./verdict.ts";

const STEPS = [1000, 3000, 10_000, 30_000];
const ROUNDS = 3;
const VERDICTS = 60_000;

/** What it costs at one size. The exponents: how times grew since the size before; n·log n is about 1.1. */
export type Cost = {
  readonly size: number;
  readonly compileMs: number;
  readonly reachMs: number;
  readonly verdictP99Us: number;
  readonly rssMb: number;
  readonly exponent: number | null;
  /** The comparison of what is compiled with what is meant: whole, and again after one changed sentence. */
  readonly judgedMs: number;
  readonly judgedAgainMs: number;
  readonly judgedExponent: number | null;
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
  const small = fleetOf(Math.min(size, 1000));
  reachOnce(small);
  judgeOnce(small);
  const fleet = fleetOf(size);
  const rounds = Array.from({ length: ROUNDS }, () => ({ ...reachOnce(fleet), ...judgeOnce(fleet) }));
  const middle = (key: keyof (typeof rounds)[number]): number => median(rounds.map((one) => one[key]));
  const grown = (now: number, then: number | undefined): number | null =>
    before && then !== undefined ? round(Math.log(now / then) / Math.log(size / before.size)) : null;
  const [reachMs, judgedMs] = [middle("reachMs"), middle("judgedMs")];
  return {
    size,
    compileMs: round(middle("compileMs")),
    reachMs: round(reachMs),
    verdictP99Us: round(quantile(verdictTimes(size, VERDICTS), 0.99)),
    rssMb: peakMb(process.pid),
    exponent: grown(reachMs, before?.reachMs),
    judgedMs: round(judgedMs),
    judgedAgainMs: round(middle("judgedAgainMs")),
    judgedExponent: grown(judgedMs, before?.judgedMs),
  };
}
