import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Figures, machine, median, quantile, round } from "./figures.ts";
import { foreignWorld } from "./foreign-world.ts";
import { npGuard } from "./np-guard.ts";

const MOST_OUTPUT = 1024 * 1024 * 1024;
const LEAST_ROUNDS = 3;

/**
 * Who may reach whom among that many workloads under NetworkPolicies: `signet policy connectivity` against np-guard's
 * `list`, process against process, in alternating rounds. Both must give the same lines, else there are no figures.
 */
export async function reachForeign(size: number, seconds: number): Promise<Figures> {
  const theirs = await npGuard(process.env, (line) => process.stderr.write(`${line}\n`));
  const folder = mkdtempSync(join(tmpdir(), "signet-bench-"));
  try {
    writeFileSync(join(folder, "world.yaml"), foreignWorld(size));
    const ours = (): string => run(process.execPath, ["src/bin/cli.ts", "policy", "connectivity", folder]);
    const floor = (): string => run(theirs, ["list", "--quiet", "--dirpath", folder]);
    compare(ours(), floor());
    return figuresOf(size, measure({ ours, floor }, seconds * 1000));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const run = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { encoding: "utf8", maxBuffer: MOST_OUTPUT, stdio: ["ignore", "pipe", "ignore"] });

/** This version of theirs writes ranges outside without their mark. */
const linesOf = (text: string): readonly string[] =>
  text
    .replaceAll("[External]", "")
    .split("\n")
    .filter((line) => line !== "")
    .sort();

function compare(ours: string, theirs: string): void {
  const [left, right] = [linesOf(ours), linesOf(theirs)];
  const wrong = left.findIndex((line, index) => line !== right[index]);
  if (left.length === 0 || left.length !== right.length || wrong >= 0)
    throw new Error(
      `The lists differ: ${left.length} and ${right.length} lines, first "${left[wrong]}" and "${right[wrong]}".`,
    );
}

type Times = { readonly ours: readonly number[]; readonly floor: readonly number[] };

function measure(what: { readonly ours: () => unknown; readonly floor: () => unknown }, forMs: number): Times {
  const times = { ours: [] as number[], floor: [] as number[] };
  const end = performance.now() + forMs;
  while (performance.now() < end || times.ours.length < LEAST_ROUNDS)
    for (const who of ["ours", "floor"] as const) {
      const start = performance.now();
      what[who]();
      times[who].push(performance.now() - start);
    }
  return times;
}

function figuresOf(size: number, times: Times): Figures {
  const [ours, floor] = [median(times.ours), median(times.floor)];
  const sorted = Float64Array.from(times.ours).sort();
  return {
    name: "reach-foreign",
    size,
    opsPerSec: round(1000 / ours, 4),
    floorOpsPerSec: round(1000 / floor, 4),
    ratio: round(floor / ours),
    p50Ms: round(ours),
    p99Ms: round(quantile(sorted, 0.99)),
    rssMb: null,
    cpuSecPer1000: null,
    machine: machine(),
  };
}
