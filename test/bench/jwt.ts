import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import process from "node:process";
import { makeTokenKey, signingKeyAt } from "../../src/ca/tokens/key-set.ts";
import { mintToken } from "../../src/ca/tokens/mint.ts";
import { composeSpiffeId } from "../../src/domain/spiffe-id.ts";
import { TokenPlan } from "../../src/identity/token-plan.ts";
import { type Figures, machine, median, peakMb, quantile, round } from "./figures.ts";

const ROUNDS = 8;

/** Calls a second of one thread, and the microseconds of each call where `times` takes them. */
function rate(seconds: number, call: () => void, times?: number[]): number {
  const started = performance.now();
  let calls = 0;
  for (let last = started; last - started < seconds * 1000; calls += 1) {
    call();
    const now = performance.now();
    times?.push((now - last) * 1000);
    last = now;
  }
  return (calls / (performance.now() - started)) * 1000;
}

/** JWT-SVIDs planned and signed in process, in turns with the floor: P-256 signatures in DER and nothing else. */
export async function jwt(size: number, seconds: number): Promise<Figures> {
  const key = await makeTokenKey(0);
  const signer = signingKeyAt([key], Date.now());
  const spiffeId = composeSpiffeId("prod.example.org", "payments", "orders-db");
  if (!signer || !spiffeId.ok) throw new Error("nothing to sign with");
  const mint = (): void => {
    const grounds = { spiffeId: spiffeId.value, now: Date.now(), id: randomUUID(), maxTtlSeconds: 3600 };
    const plan = TokenPlan.for(grounds, { audiences: ["shop"] });
    if (plan.ok) mintToken(plan.value, signer);
  };
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const data = Buffer.alloc(size, 0x61);
  const floor = (): void => void sign("sha256", data, privateKey);
  rate(0.5, mint);
  rate(0.5, floor);
  const times: number[] = [];
  const rates = { ours: [] as number[], floor: [] as number[] };
  let cpu = 0;
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    rates.floor.push(rate(seconds / ROUNDS / 2, floor));
    const before = process.cpuUsage();
    rates.ours.push(rate(seconds / ROUNDS / 2, mint, times));
    const { user, system } = process.cpuUsage(before);
    cpu += (user + system) / 1e6;
  }
  const [ours, bare] = [median(rates.ours), median(rates.floor)];
  const sorted = Float64Array.from(times).sort();
  return {
    name: "jwt",
    size,
    opsPerSec: round(ours, 0),
    floorOpsPerSec: round(bare, 0),
    ratio: round(ours / bare),
    p50Ms: round(quantile(sorted, 0.5) / 1000, 4),
    p99Ms: round(quantile(sorted, 0.99) / 1000, 4),
    rssMb: peakMb(process.pid),
    cpuSecPer1000: round((cpu / times.length) * 1000, 4),
    machine: machine(),
  };
}
