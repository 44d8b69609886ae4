import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toPem } from "../../src/ca/pem.ts";
import { csrOf, leafKey } from "../fakes/ca.ts";
import { certificateRequest, CREATE, framed } from "../http/issuing/grpc-call.ts";
import { type Child, startAsImage } from "./children.ts";
import { cpuSeconds, type Figures, machine, median, peakMb, quantile, round } from "./figures.ts";
import { type Loaded, postOf, sendLoad } from "./load.ts";

const CONNECTIONS = 32;
const ROUNDS = 5;
/** Until Node has compiled what is hot: a server's first seconds are not what its certificates cost. */
const WARM_MS = 4000;

type Door = "rest" | "grpc";
type Called = Child & { readonly shown: string };
type Send = (server: Called, milliseconds: number) => Promise<Loaded>;

/**
 * X.509-SVIDs through each door: the caller verified by its SVID, the request read, proved, planned, signed, read again and
 * durable in a real ledger. The floor is the same door with a constant answer, in rounds that alternate. `size` is the number
 * of different requests.
 */
export async function issuanceDoor(size: number, seconds: number): Promise<Figures> {
  const csrs = Array.from({ length: size }, () => toPem("CERTIFICATE REQUEST", csrOf(leafKey())));
  const posts = csrs.map((csr) => postOf("/v1/svids", JSON.stringify({ csr })));
  const messages = csrs.map((csr) => framed(certificateRequest(csr)));
  const roundMs = Math.max(500, ((seconds - 18) * 1000) / (ROUNDS * 4));
  const rest = await through("rest", roundMs, ({ port, shown }, milliseconds) =>
    sendLoad({ port, authority: "", connections: CONNECTIONS, requests: posts, milliseconds, shown }),
  );
  const grpc = await through("grpc", roundMs, (server, milliseconds) => sendCalls(server, messages, milliseconds));
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
  for (const server of [real, floor]) await send(server, WARM_MS);
  const rounds: { readonly real: Loaded; readonly floor: Loaded; readonly cpu: number }[] = [];
  for (let count = 0; count < ROUNDS; count++) {
    const before = cpuSeconds(real.pid);
    const loaded = await send(real, roundMs);
    const cpu = (cpuSeconds(real.pid) - before) / (loaded.count / 1000);
    rounds.push({ real: loaded, cpu, floor: await send(floor, roundMs) });
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

/** One call at a time on each session, until the time is over. */
async function sendCalls({ port, shown }: Called, messages: readonly Buffer[], milliseconds: number): Promise<Loaded> {
  const sessions = Array.from({ length: CONNECTIONS }, () =>
    connect(`https://127.0.0.1:${port}`, { key: shown, cert: shown, rejectUnauthorized: false }),
  );
  await Promise.all(sessions.map((session) => new Promise((resolve) => session.once("connect", resolve))));
  const times: number[] = [];
  const started = performance.now();
  let turn = 0;
  const worker = async (session: ClientHttp2Session): Promise<void> => {
    while (performance.now() < started + milliseconds) {
      const sent = performance.now();
      await callOnce(session, messages[turn++ % messages.length] ?? Buffer.of());
      times.push(performance.now() - sent);
    }
  };
  await Promise.all(sessions.map(worker));
  const seconds = (performance.now() - started) / 1000;
  for (const session of sessions) session.destroy();
  return { perSecond: times.length / seconds, times: Float64Array.from(times).sort(), count: times.length };
}

/** Anything but success ends the bench, since it would measure refusals. */
function callOnce(session: ClientHttp2Session, message: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": CREATE,
      "content-type": "application/grpc",
      te: "trailers",
    });
    let status = "";
    const take = (headers: Readonly<Record<string, unknown>>): void => void (status ||= textOf(headers["grpc-status"]));
    stream.on("response", take).on("trailers", take).on("error", reject).resume();
    stream.on("end", () => (status === "0" ? resolve() : reject(new Error(`gRPC status ${status}`))));
    stream.end(message);
  });
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
