import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toPem } from "../../src/ca/pem.ts";
import { csrOf, leafKey } from "../fakes/ca.ts";
import { certificateRequest, framed } from "../http/issuing/grpc-call.ts";
import { type Child, startAsImage } from "./children.ts";
import { cpuSeconds, type Figures, machine, median, peakMb, quantile, round } from "./figures.ts";
import { type Loaded, postOf, sendLoad } from "./load.ts";
import { sendCalls } from "./load-grpc.ts";

const CONNECTIONS = 32;
const ROUNDS = 5;
/** Until Node has compiled what is hot: a server's first seconds are not what its certificates cost. */
const WARM_MS = 4000;

type Door = "rest" | "grpc";
type Called = Child & { readonly shown: string };
type Send = (server: Called, milliseconds: number, connected: () => void) => Promise<Loaded>;

/**
 * X.509-SVIDs through each door: the caller verified by its SVID, the request read, proved, planned, signed, read again and
 * durable in a real ledger. The floor is the same door with a constant answer, in rounds that alternate. `size` is the number
 * of different requests.
 */
export async function issuanceDoor(size: number, seconds: number): Promise<Figures> {
  const csrs = Array.from({ length: size }, () => toPem("CERTIFICATE REQUEST", csrOf(leafKey())));
  const posts = csrs.map((csr) => postOf("/v1/svids", JSON.stringify({ csr })));
  const messages = csrs.map((csr) => framed(certificateRequest(csr)));
  // Two servers for each of two doors, in rounds as in warming up; and two seconds to start them.
  const roundMs = Math.max(500, (seconds * 1000 - 2000 - 4 * WARM_MS) / (ROUNDS * 4));
  const rest = await through("rest", roundMs, ({ port, shown }, milliseconds, connected) =>
    sendLoad({ port, authority: "", connections: CONNECTIONS, requests: posts, milliseconds, shown, connected }),
  );
  const grpc = await through("grpc", roundMs, ({ port, shown }, milliseconds, connected) =>
    sendCalls({ port, connections: CONNECTIONS, messages, milliseconds, shown, connected }),
  );
  return { name: "issuance-door", size, ...rest, grpc, machine: machine() };
}

async function through(door: Door, roundMs: number, send: Send) {
  const folder = mkdtempSync(join(tmpdir(), "signet-bench-"));
  const start = async (mode: "real" | "constant"): Promise<Called> => {
    const file = join(folder, `${mode}.pem`);
    const child = await startAsImage(["test/bench/door-server.ts", mode, door, file], /port (\d+)/);
    return { ...child, shown: readFileSync(file, "utf8") };
  };
  const [real, floor] = [await start("real"), await start("constant")];
  try {
    return await measure(real, floor, roundMs, send);
  } finally {
    await Promise.all([real.end(), floor.end()]);
    rmSync(folder, { recursive: true });
  }
}

async function measure(real: Called, floor: Called, roundMs: number, send: Send) {
  for (const server of [real, floor]) await send(server, WARM_MS, () => undefined);
  const rounds: { readonly real: Loaded; readonly floor: Loaded; readonly cpu: number }[] = [];
  for (let count = 0; count < ROUNDS; count++) {
    let before = 0;
    // What a certificate costs, without the handshakes of the round.
    const loaded = await send(real, roundMs, () => {
      before = cpuSeconds(real.pid);
    });
    const cpu = (cpuSeconds(real.pid) - before) / (loaded.count / 1000);
    rounds.push({ real: loaded, cpu, floor: await send(floor, roundMs, () => undefined) });
  }
  const times = Float64Array.from(rounds.flatMap((each) => [...each.real.times])).sort();
  return {
    opsPerSec: round(median(rounds.map((each) => each.real.perSecond)), 0),
    floorOpsPerSec: round(median(rounds.map((each) => each.floor.perSecond)), 0),
    ratio: round(median(rounds.map((each) => each.real.perSecond / each.floor.perSecond)), 3),
    p50Ms: round(quantile(times, 0.5)),
    p99Ms: round(quantile(times, 0.99)),
    rssMb: peakMb(real.pid),
    cpuSecPer1000: round(median(rounds.map((each) => each.cpu)), 3),
  };
}
