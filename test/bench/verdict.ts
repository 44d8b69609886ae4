import process from "node:process";
import type { Flow } from "../../src/domain/flow.ts";
import { compileIntent } from "../../src/policy/intent/intent.ts";
import { verdictOn } from "../../src/policy/intent/verdict.ts";
import { type Figures, machine, peakMb, quantile, round } from "./figures.ts";
import { type Fleet, fleetOf } from "./traffic.ts";

const QUESTIONS = 200_000;
const WARM = 50_000;

/** So many questions about a fleet; every third is about a pair that a sentence opens. */
function questionsOf({ ends }: Fleet, count: number): readonly Flow[] {
  const roles = Math.max(2, Math.round(ends.length / 5));
  const at = (place: number) => ends[place % ends.length]?.end ?? { kind: "node" as const };
  return Array.from({ length: count }, (_, index): Flow => {
    const to = (index * 7919) % roles;
    const from = index % 3 === 0 ? (to * 7 + 3) % roles : index * 104_729;
    return { from: at(from), to: at(to), passage: { protocol: "tcp", port: 5000 + (to % 60) } };
  });
}

/** Microseconds of one verdict each, sorted. */
export function verdictTimes(size: number, count = QUESTIONS): Float64Array {
  const fleet = fleetOf(size);
  const intent = compileIntent(fleet.catalogue);
  const questions = questionsOf(fleet, count);
  for (const flow of questions.slice(0, WARM)) verdictOn(intent, flow, 0);
  return Float64Array.from(questions, (flow) => {
    const started = performance.now();
    verdictOn(intent, flow, 0);
    return (performance.now() - started) * 1000;
  }).sort();
}

/** One flow's verdict, in process: 10,000 workloads, 2,000 sentences. There is no floor. */
export function verdict(size: number, _seconds: number): Promise<Figures> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  const times = verdictTimes(size);
  const { user, system } = process.cpuUsage(cpu);
  return Promise.resolve({
    name: "verdict",
    size,
    opsPerSec: round(QUESTIONS / (times.reduce((sum, each) => sum + each, 0) / 1e6), 0),
    floorOpsPerSec: null,
    ratio: null,
    p50Ms: round(quantile(times, 0.5) / 1000, 5),
    p99Ms: round(quantile(times, 0.99) / 1000, 5),
    rssMb: peakMb(process.pid),
    cpuSecPer1000: round(((user + system) / 1e6 / (QUESTIONS + WARM)) * 1000, 5),
    machine: machine(),
    p99Us: round(quantile(times, 0.99)),
    fullMs: round(performance.now() - started, 0),
  });
}
