import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sizeOf, writeCatalogue } from "./catalogue.ts";
import { type Child, startChild, startSignet } from "./children.ts";
import { cpuSeconds, type Figures, machine, median, peakMb, quantile, round } from "./figures.ts";
import { type Loaded, sendLoad } from "./load.ts";
import { reviewPairs } from "./review-pairs.ts";
import { podOf } from "./reviews.ts";

const CONNECTIONS = 16;
const REVIEWS = 400;
/** Short ones, so that what else runs on the machine meets both sides. */
const ROUNDS = 20;
/** Until all that is hot is compiled. */
const WARM_MS = 3000;

/** Mutate and validate reviews in turn, against the bare floor in alternating rounds. Times are of Signet's rounds. */
export async function admission(size: number, seconds: number): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "signet-bench-"));
  const children: Child[] = [];
  try {
    writeCatalogue(join(folder, "catalogue"), sizeOf(size));
    const signet = await startSignet(join(folder, "state"), join(folder, "catalogue"));
    children.push(signet);
    const authority = readFileSync(join(folder, "state", "serving", "ca.crt"), "utf8");
    const { roles } = sizeOf(size);
    const pods = Array.from({ length: REVIEWS }, (_, number) => podOf(number % roles, number));
    const { requests, patch } = await reviewPairs(signet.port, authority, pods);
    const floor = await startFloor(folder, patch);
    children.push(floor);
    return await measure({ signet, floor, authority, requests, size, seconds });
  } finally {
    await Promise.all(children.map((child) => child.end()));
    rmSync(folder, { recursive: true });
  }
}

/** The floor serves with the very certificate that Signet serves with. */
function startFloor(folder: string, patch: string): Promise<Child> {
  const leaf = JSON.parse(readFileSync(join(folder, "state", "serving", "leaf.json"), "utf8")) as Leaf;
  writeFileSync(join(folder, "floor.pem"), `${leaf.key}\n${leaf.certificate}`, { mode: 0o600 });
  writeFileSync(join(folder, "patch"), patch);
  return startChild(["test/bench/floor.ts", join(folder, "floor.pem"), join(folder, "patch")], /port (\d+)/);
}

type Leaf = { readonly certificate: string; readonly key: string };

type Measured = {
  readonly signet: Child;
  readonly floor: Child;
  readonly authority: string;
  readonly requests: readonly Buffer[];
  readonly size: number;
  readonly seconds: number;
};

async function measure({ signet, floor, authority, requests, size, seconds }: Measured): Promise<Figures> {
  const milliseconds = ((seconds * 1000 - 4 * WARM_MS) / ROUNDS / 2) | 0;
  const run = (port: number, ms: number): Promise<Loaded> =>
    sendLoad({ port, authority, connections: CONNECTIONS, requests, milliseconds: ms });
  for (const child of [floor, signet, floor, signet]) await run(child.port, WARM_MS);
  const rounds: { floor: Loaded; signet: Loaded; cpu: number; floorCpu: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [floorBefore, before] = [cpuSeconds(floor.pid), cpuSeconds(signet.pid)];
    const bare = await run(floor.port, milliseconds);
    const floorCpu = ((cpuSeconds(floor.pid) - floorBefore) / bare.count) * 1000;
    const ours = await run(signet.port, milliseconds);
    const cpu = ((cpuSeconds(signet.pid) - before) / ours.count) * 1000;
    rounds.push({ floor: bare, signet: ours, cpu, floorCpu });
  }
  return {
    name: "admission",
    size,
    opsPerSec: round(median(rounds.map((each) => each.signet.perSecond)), 0),
    floorOpsPerSec: round(median(rounds.map((each) => each.floor.perSecond)), 0),
    ratio: round(median(rounds.map((each) => each.signet.perSecond / each.floor.perSecond)), 3),
    p50Ms: round(median(rounds.map((each) => quantile(each.signet.times, 0.5)))),
    p99Ms: round(median(rounds.map((each) => quantile(each.signet.times, 0.99)))),
    rssMb: peakMb(signet.pid),
    cpuSecPer1000: round(median(rounds.map((each) => each.cpu)), 4),
    machine: machine(),
    floorCpuSecPer1000: round(median(rounds.map((each) => each.floorCpu)), 4),
  };
}
