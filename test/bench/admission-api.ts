import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { applyApproved } from "../api/approve.ts";
import { PROBE_REVIEW } from "../../src/http/self-probe.ts";
import { accepted } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { installSignet } from "../cluster/install.ts";
import { barePair, celPair, NAMESPACES, PATCHED, signetOnly } from "./api-contenders.ts";
import { type Child, entrypoint, startChild } from "./children.ts";
import { cpuSeconds, type Figures, machine, median, peakMb, quantile, round } from "./figures.ts";
import { postOf, sendLoad } from "./load.ts";
import { stampBy } from "./review-pairs.ts";
import { type BenchPod, podOf } from "./reviews.ts";

const CONNECTIONS = 16;
/** Short, and more of them where there is more time: the machine's speed changes within seconds. */
const ROUND_MS = 500;
/** How often each order comes at least. */
const TURNS = 2;
const WARM_MS = 1500;
const DIRECT_MS = 14_000;
const ACCOUNT = "worker";
const KINDS = ["mutate", "validate"] as const;

const CATALOGUE = `
apiVersion: signet.dev/v1alpha1
kind: TrustDomain
metadata: {name: local}
spec: {domain: bench.example.org}
---
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata: {name: bench}
spec: {environment: test, namespaces: [${NAMESPACES.signet}], mode: enforce}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: ${ACCOUNT}}
spec: {segment: bench, match: {serviceAccounts: [${ACCOUNT}]}, labels: {tier: data}}
`;

type Contender = keyof typeof NAMESPACES;

/** Who comes after whom: what the API server has to sweep up of one falls into the time of the next. */
const ORDERS: readonly (readonly Contender[])[] = [
  ["bare", "signet", "cel"],
  ["cel", "signet", "bare"],
  ["signet", "bare", "cel"],
  ["cel", "bare", "signet"],
  ["bare", "cel", "signet"],
  ["signet", "cel", "bare"],
];

/**
 * `POST pods?dryRun=All` through a real API server: with Signet's webhooks, with a bare pair that does the least that is
 * legal, and with an equal pair of in-process policies, each in a namespace of its own, in alternating rounds.
 */
export async function admissionApi(size: number, seconds: number): Promise<Figures> {
  const cluster = await bootCluster({ audit: "off", components: [] });
  const folder = mkdtempSync(join(tmpdir(), "signet-bench-"));
  const children: Child[] = [];
  try {
    for (const name of Object.values(NAMESPACES)) await makeNamespace(cluster, name);
    await makeDefaultAccount(cluster);
    const signet = await installSignet(cluster, { replicas: 1, program: entrypoint().map(inClone) });
    try {
      await applyApproved(cluster, CATALOGUE, "alice");
      const [replica] = signet.replicas();
      if (!replica) throw new Error("there is no replica");
      await signetOnly(cluster, replica.port);
      signet.leaveRoutes();
      const floor = await startFloor(cluster, folder);
      children.push(floor);
      await barePair(cluster, floor.port);
      await celPair(cluster);
      for (const each of Object.keys(NAMESPACES) as Contender[]) await untilStamped(cluster, each);
      await untilSeen(cluster, folder);
      await warm(replica.port, floor.port, folder);
      return await measure({ cluster, pids: { signet: replica.pid, bare: floor.pid, cel: 0 }, size, seconds });
    } finally {
      await signet.stop();
    }
  } finally {
    await Promise.all(children.map((child) => child.end()));
    rmSync(folder, { recursive: true });
    await cluster.stop();
  }
}

async function makeNamespace(cluster: Cluster, name: string): Promise<void> {
  const labels = name === NAMESPACES.signet ? { "signet.dev/enrol": "true" } : {};
  await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name, labels } } });
  await accepted(cluster, "POST", `/api/v1/namespaces/${name}/serviceaccounts`, {
    body: { metadata: { name: ACCOUNT } },
  });
}

/** Without controllers nobody makes a namespace's default account, which the installation's own probe needs. */
const makeDefaultAccount = (cluster: Cluster): Promise<unknown> =>
  accepted(cluster, "POST", "/api/v1/namespaces/default/serviceaccounts", { body: { metadata: { name: "default" } } });

async function startFloor(cluster: Cluster, folder: string): Promise<Child> {
  const { cert, key } = await cluster.authority.server({ name: "floor" }, ["127.0.0.1"]);
  writeFileSync(join(folder, "floor.pem"), `${key}\n${cert}`, { mode: 0o600 });
  writeFileSync(join(folder, "patch"), Buffer.from(JSON.stringify(PATCHED)).toString("base64"));
  return startChild(["test/bench/floor.ts", join(folder, "floor.pem"), join(folder, "patch"), folder], /port (\d+)/);
}

/** The entrypoint's own file lies in this clone, wherever a replica runs. */
const inClone = (argument: string): string => (argument.startsWith("-") ? argument : resolve(argument));

/**
 * Both webhooks answer reviews until all that is hot is compiled: through the API server that would take minutes. They are
 * those that it sent to the floor, and now and then the one that a replica asks itself: code is compiled for objects that
 * were met before, and thrown away at the first of another shape.
 */
async function warm(signet: number, floor: number, folder: string): Promise<void> {
  const [mutate, sent] = KINDS.map((kind) =>
    readFileSync(join(folder, kind), "utf8").replaceAll(NAMESPACES.bare, NAMESPACES.signet),
  ) as [string, string];
  const validate = JSON.parse(sent) as { readonly request: { readonly object: Pick<BenchPod, "metadata"> } };
  await stampBy(signet, "", mutate, validate.request.object.metadata);
  const pair = [postOf("/mutate", mutate), postOf("/validate", JSON.stringify(validate))];
  const requests = [...Array.from({ length: 20 }, () => pair).flat(), postOf("/validate", PROBE_REVIEW)];
  const both = [signet, floor].map((port) =>
    sendLoad({ port, authority: "", connections: CONNECTIONS, requests, milliseconds: DIRECT_MS }),
  );
  await Promise.all(both);
}

/** The Pod of the other bench, as a client sends it. */
function podIn(namespace: string): string {
  const pod = podOf(0, 0);
  const { managedFields: _m, creationTimestamp: _c, ...metadata } = pod.metadata;
  const { volumes: _v, ...spec } = pod.spec;
  const containers = spec.containers.map(({ volumeMounts: _, ...container }) => container);
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...metadata, namespace },
    spec: { ...spec, containers, serviceAccountName: ACCOUNT, serviceAccount: ACCOUNT, priority: undefined },
  });
}

const create = (cluster: Cluster, namespace: string, body: string) =>
  cluster.request("POST", `/api/v1/namespaces/${namespace}/pods?dryRun=All`, { body });

/** Configurations and roles come into force one after the other. */
async function untilStamped(cluster: Cluster, contender: Contender): Promise<void> {
  const namespace = NAMESPACES[contender];
  for (const until = Date.now() + 60_000; ; ) {
    const { status, body } = await create(cluster, namespace, podIn(namespace));
    const { metadata } = body as { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } };
    if (status === 201 && metadata?.labels?.["signet.dev/role"] === ACCOUNT) return;
    if (Date.now() > until) throw new Error(`no stamp in ${namespace}: ${status} ${JSON.stringify(body)}`);
  }
}

/** The floor's two configurations come into force one after the other too: until it was sent both kinds of review. */
async function untilSeen(cluster: Cluster, folder: string): Promise<void> {
  for (const until = Date.now() + 60_000; !KINDS.every((kind) => existsSync(join(folder, kind))); ) {
    await create(cluster, NAMESPACES.bare, podIn(NAMESPACES.bare));
    if (Date.now() > until) throw new Error("the bare pair was not asked to validate");
  }
}

type Measured = {
  readonly cluster: Cluster;
  readonly pids: Readonly<Record<Contender, number>>;
  readonly size: number;
  readonly seconds: number;
};

type Round = { readonly seconds: number; readonly times: Float64Array; readonly cpu: number };

async function measure({ cluster, pids, size, seconds }: Measured): Promise<Figures> {
  const left = seconds * 1000 - DIRECT_MS - 3 * WARM_MS;
  const turns = Math.max(TURNS, Math.floor(left / (ORDERS.flat().length * ROUND_MS)));
  const rounds: Record<Contender, Round[]> = { bare: [], signet: [], cel: [] };
  for (const each of Object.keys(rounds) as Contender[]) await load(cluster, NAMESPACES[each], WARM_MS);
  for (let turn = 0; turn < turns; turn += 1)
    for (const each of ORDERS.flat()) {
      const before = pids[each] === 0 ? 0 : cpuSeconds(pids[each]);
      const loaded = await load(cluster, NAMESPACES[each], ROUND_MS);
      const cpu = pids[each] === 0 ? 0 : cpuSeconds(pids[each]) - before;
      rounds[each].push({ ...loaded, cpu });
    }
  return figuresOf(rounds, size, peakMb(pids.signet));
}

/**
 * Rates and CPU are of all that was sent in all rounds. Rounds differ by a fifth among themselves; of 600 that were measured the
 * whole wandered half to two thirds as much as the median of so many of them.
 */
function figuresOf(rounds: Readonly<Record<Contender, readonly Round[]>>, size: number, rssMb: number): Figures {
  const sum = (of: Contender, what: (each: Round) => number): number =>
    rounds[of].reduce((all, each) => all + what(each), 0);
  const pods = (of: Contender): number => sum(of, ({ times }) => times.length);
  const rate = (of: Contender): number => pods(of) / sum(of, ({ seconds }) => seconds);
  const cpu = (of: Contender): number => round((sum(of, (each) => each.cpu) / pods(of)) * 1000, 3);
  const time = (share: number): number => round(median(rounds.signet.map(({ times }) => quantile(times, share))));
  return {
    name: "admission-api",
    size,
    opsPerSec: round(rate("signet"), 0),
    floorOpsPerSec: round(rate("bare"), 0),
    ratio: round(rate("signet") / rate("bare"), 3),
    p50Ms: time(0.5),
    p99Ms: time(0.99),
    rssMb,
    cpuSecPer1000: cpu("signet"),
    machine: machine(),
    floorCpuSecPer1000: cpu("bare"),
    celOpsPerSec: round(rate("cel"), 0),
    overCel: round(rate("signet") / rate("cel"), 3),
  };
}

/** Creates Pods for nothing over so many connections until the time is over; an answer but 201 ends the bench. */
async function load(cluster: Cluster, namespace: string, milliseconds: number): Promise<Omit<Round, "cpu">> {
  const body = podIn(namespace);
  const times: number[] = [];
  const began = performance.now();
  const work = async (): Promise<void> => {
    for (let sent = performance.now(); sent - began < milliseconds; sent = performance.now()) {
      const { status, body: answer } = await create(cluster, namespace, body);
      if (status !== 201) throw new Error(`${namespace}: ${status} ${JSON.stringify(answer)}`);
      times.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  const seconds = (performance.now() - began) / 1000;
  return { seconds, times: Float64Array.from(times).sort() };
}
