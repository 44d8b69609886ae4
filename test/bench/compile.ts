import process from "node:process";
import { type Catalogue, makeCatalogue } from "../../src/domain/catalogue.ts";
import { compile } from "../../src/policy/compile/compile.ts";
import { type Doors, doorsOf, type Site } from "../../src/policy/compile/doors.ts";
import { TARGET_NAMES, TARGETS } from "../../src/policy/compile/targets.ts";
import { compileIntent } from "../../src/policy/intent/intent.ts";
import { type Figures, machine, median, peakMb, round } from "./figures.ts";
import { memberOf } from "../policy/compile/random-site.ts";
import { type Fleet, fleetOf } from "./traffic.ts";

const MOST_ROUNDS = 9;
const SITE: Site = {
  canaries: [],
  machines: [],
  pods: [],
  networks: [],
  podNetworks: { v4: [0x0a000000, 0x0b000000], v6: [] },
};

/** Compiles a catalogue for every target, beside doors of before where there are some. */
function compileOnce(catalogue: Catalogue, before?: Doors): Doors {
  const doors = doorsOf(compileIntent(catalogue, before?.intent), SITE, 0, before);
  for (const name of TARGET_NAMES) TARGETS[name].compile(doors);
  return doors;
}

/** The catalogue with the ports of one sentence changed. */
function withOneChanged(catalogue: Catalogue, round_: number): Catalogue {
  const [first, ...rest] = catalogue.definitions.policies;
  if (!first) return catalogue;
  const port = 10_000 + round_;
  const allow = first.allow.map((line, index) =>
    index === 0 ? { ...line, on: [{ protocol: "tcp", first: port, last: port } as const] } : line,
  );
  return makeCatalogue({ ...catalogue.definitions, policies: [{ ...first, allow }, ...rest] }, `changed ${round_}`);
}

/** Compiles to NetworkPolicies as publishing does, with the comparison of what they admit and what is meant. */
function judgeOnce({ catalogue, ends }: Fleet): void {
  const members = ends.map(({ end }) => memberOf(end));
  const judged = compile({
    intent: compileIntent(catalogue),
    site: SITE,
    targets: ["networkpolicy"],
    foreign: [],
    members,
    now: 0,
  });
  if (!judged.ok) throw new Error("what was compiled could not be read");
}

/**
 * Definitions to the objects of all targets: whole, and again after one sentence has changed; and once to NetworkPolicies
 * with the comparison. There is no floor.
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
  return Promise.resolve({
    name: "compile",
    size,
    opsPerSec: round(1000 / fullMs),
    floorOpsPerSec: null,
    ratio: null,
    p50Ms: round(fullMs),
    p99Ms: round(Math.max(...full)),
    rssMb: peakMb(process.pid),
    cpuSecPer1000: round(((user + system) / 1e6 / full.length / size) * 1000, 4),
    machine: machine(),
    fullMs: round(fullMs, 0),
    incrementalMs: round(median(incremental)),
    judgedMs: round(timed(() => judgeOnce(fleet))[1], 0),
  });
}

function timed<T>(run: () => T): readonly [made: T, ms: number] {
  const started = performance.now();
  const made = run();
  return [made, performance.now() - started];
}
