import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { verifyInThread } from "../../src/bin/issuing/verifying-thread.ts";
import { issue, type IssueParts, type IssueRequest } from "../../src/ca/issue.ts";
import { openLedger } from "../../src/store/ledger.ts";
import { type IssuanceRecord, renderIssuanceRecord } from "../../src/wire/issuance-record.ts";
import { csrOf, leafKey, podRequest, testAuthority, walkParts } from "../fakes/ca.ts";
import { must } from "../fakes/judging.ts";
import { type Figures, machine, peakMb, quantile, round } from "./figures.ts";

/** Requests that wait for the ledger at one time. */
const IN_FLIGHT = 256;

/** One thread's loop of bare signatures over as many octets as a certificate has. */
function floor(seconds: number): number {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const octets = randomBytes(450);
  const end = performance.now() + seconds * 1000;
  let count = 0;
  const started = performance.now();
  for (; performance.now() < end; count++) sign("sha256", octets, privateKey);
  return (count / (performance.now() - started)) * 1000;
}

/** Runs requests, so many at a time, for so long. Gives the milliseconds that each took. */
async function load(requests: readonly IssueRequest[], parts: IssueParts, seconds: number): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const request = requests[next++ % requests.length];
      if (!request) return;
      const started = performance.now();
      must(await issue(request, parts));
      times.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return times;
}

/**
 * X.509-SVIDs in process: request in, parsed, possession verified, planned, signed, read again, durable in a real ledger.
 * The floor is one thread's loop of `crypto.sign` with P-256. `size` is the number of different requests.
 */
export async function issuance(size: number, seconds: number): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "signet-bench-"));
  const failed = (reason: string): never => {
    throw new Error(reason);
  };
  const ledger = await openLedger({ path: join(folder, "ledger.db"), version: "bench", now: Date.now, failed });
  const { issuer } = await testAuthority(undefined, undefined, Date.now());
  const record = (line: IssuanceRecord): Promise<void> =>
    ledger.append([{ kind: "issuance", subject: line.subject, at: line.at, body: renderIssuanceRecord(line) }]);
  const { parts } = walkParts(issuer, { record, now: Date.now, verify: verifyInThread(failed) });
  const requests = Array.from({ length: size }, () => podRequest(csrOf(leafKey())));
  const share = seconds / 6;
  await load(requests, parts, share);
  const before = floor(share / 2);
  const cpu = process.cpuUsage();
  const started = performance.now();
  const times = await load(requests, parts, share * 4);
  const tookMs = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  const floorOpsPerSec = (before + floor(share / 2)) / 2;
  await ledger.close();
  rmSync(folder, { recursive: true });
  const sorted = Float64Array.from(times).sort();
  const opsPerSec = (times.length / tookMs) * 1000;
  return {
    name: "issuance",
    size,
    opsPerSec: round(opsPerSec, 0),
    floorOpsPerSec: round(floorOpsPerSec, 0),
    ratio: round(opsPerSec / floorOpsPerSec, 3),
    p50Ms: round(quantile(sorted, 0.5)),
    p99Ms: round(quantile(sorted, 0.99)),
    rssMb: peakMb(process.pid),
    cpuSecPer1000: round((user + system) / 1e6 / (times.length / 1000), 3),
    machine: machine(),
  };
}
