import { parseArgs } from "node:util";
import type { Figures } from "./figures.ts";

type Bench = {
  readonly about: string;
  readonly size: number;
  readonly seconds: number;
  readonly run: (size: number, seconds: number) => Promise<Figures>;
};

/** Every bench: what it measures, the size and the time it takes by default, and where it is. */
const BENCHES: Readonly<Record<string, Bench>> = {
  admission: {
    about: "mutate and validate reviews over TLS, against a bare node:https server",
    size: 10_000,
    seconds: 36,
    run: async (size, seconds) => (await import("./admission.ts")).admission(size, seconds),
  },
  "admission-api": {
    about:
      "POST pods?dryRun=All through a real API server, against a bare pair of webhooks and an equal pair of policies",
    size: 1,
    seconds: 30,
    run: async (size, seconds) => (await import("./admission-api.ts")).admissionApi(size, seconds),
  },
  chaos: {
    about: "Pods from Deployments while replicas are killed and certificates rotate: how many are missed",
    size: 1_000,
    seconds: 600,
    run: async (size, seconds) => (await import("./chaos.ts")).chaos(size, seconds),
  },
  start: {
    about: "the standalone server until it is ready, against Node's own start",
    size: 1,
    seconds: 20,
    run: async (size, seconds) => (await import("./start.ts")).start(size, seconds),
  },
  reach: {
    about: "who reaches whom among all workloads, from definitions to all pairs, with the widening check",
    size: 10_000,
    seconds: 10,
    run: async (size, seconds) => (await import("./reach.ts")).reach(size, seconds),
  },
  "reach-foreign": {
    about: "who reaches whom under foreign policies, against np-guard's analyzer (built once from its Go module)",
    size: 300,
    seconds: 30,
    run: async (size, seconds) => (await import("./reach-foreign.ts")).reachForeign(size, seconds),
  },
  compile: {
    about:
      "from definitions to the objects of every target, whole, after one changed sentence, and compared with what is meant",
    size: 10_000,
    seconds: 20,
    run: async (size, seconds) => (await import("./compile.ts")).compileBench(size, seconds),
  },
  verdict: {
    about: "one flow's verdict, in process",
    size: 10_000,
    seconds: 5,
    run: async (size, seconds) => (await import("./verdict.ts")).verdict(size, seconds),
  },
  jwt: {
    about: "JWT-SVIDs planned and signed in process, against one thread's bare P-256 signatures of so many bytes",
    size: 256,
    seconds: 10,
    run: async (size, seconds) => (await import("./jwt.ts")).jwt(size, seconds),
  },
  issuance: {
    about: "X.509-SVIDs in process, request to ledger, against a bare loop of crypto.sign",
    size: 1000,
    seconds: 24,
    run: async (size, seconds) => (await import("./issuance.ts")).issuance(size, seconds),
  },
  "issuance-door": {
    about: "X.509-SVIDs through REST and gRPC, callers by mTLS, against a constant answer through the same doors",
    size: 256,
    seconds: 40,
    run: async (size, seconds) => (await import("./issuance-door.ts")).issuanceDoor(size, seconds),
  },
  podcerts: {
    about: "PodCertificateRequests answered on a real API server, against a bare loop with ready-made chains",
    size: 2000,
    seconds: 50,
    run: async (size, seconds) => (await import("./podcerts.ts")).podcerts(size, seconds),
  },
  scale: {
    about: "what verdicts, reach and the widening check cost at 1,000 to 30,000 workloads",
    size: 30_000,
    seconds: 30,
    run: async (size, seconds) => (await import("./scale.ts")).scale(size, seconds),
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean" }, size: { type: "string" }, seconds: { type: "string" } },
});
const [name = ""] = positionals;
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (bench) {
  const figures = await bench.run(Number(values.size ?? bench.size), Number(values.seconds ?? bench.seconds));
  process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : lines(figures));
} else {
  const known = Object.entries(BENCHES).map(([each, { about }]) => `  ${each.padEnd(12)} ${about}\n`);
  process.stderr.write(`Usage: npm run bench -- NAME [--json] [--size N] [--seconds S]\n\n${known.join("")}`);
  process.exitCode = 2;
}

function lines({ machine, ...figures }: Figures): string {
  const { growth = [], grpc, ...single } = figures;
  const rows = Object.entries({ ...single, ...machine }).map(([key, value]) => `${key.padEnd(16)}${value ?? "-"}\n`);
  if (grpc) rows.push(`grpc            ${JSON.stringify(grpc)}\n`);
  return rows.join("") + growth.map((cost) => `${JSON.stringify(cost)}\n`).join("");
}
