import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { verifyInThread } from "../../src/bin/issuing/verifying-thread.ts";
import { AccountPods } from "../../src/bin/cluster/signer/account-pods.ts";
import { runSigner } from "../../src/bin/cluster/signer/signer.ts";
import { issue } from "../../src/ca/issue.ts";
import { certificatesPem } from "../../src/ca/pem.ts";
import { type KubeClient, makeKubeClient, nameOf } from "../../src/kube/client.ts";
import { EventRecorder } from "../../src/kube/events.ts";
import { systemClock } from "../../src/kube/clock.ts";
import { readClusterAccess } from "../../src/kube/config.ts";
import { makeConnection } from "../../src/kube/connection.ts";
import { podCertificates } from "../../src/kube/signer-watches.ts";
import { Reflector } from "../../src/kube/watch.ts";
import { beginRefreshAt } from "../../src/reconcile/certificates/refresh.ts";
import { openLedger } from "../../src/store/ledger.ts";
import { type IssuanceRecord, renderIssuanceRecord } from "../../src/wire/issuance-record.ts";
import { issuedStatus } from "../../src/wire/pod-certificate-answer.ts";
import { type Raw, rawAt, textAt } from "../../src/wire/read-object.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { createAccounts, createPod } from "../cluster/certified-pods.ts";
import { csrOf, leafKey, podRequest, PROFILES, SHOP_CATALOGUE, testAuthority } from "../fakes/ca.ts";
import { catalogueOf, must } from "../fakes/judging.ts";
import { quietLog } from "../fakes/quiet-log.ts";
import { type Figures, machine, median, peakMb, quantile, round } from "./figures.ts";

const PODS = 50;
const CREATORS = 32;
const ROUNDS = 3;
const REQUESTS = podCertificates("v1");
const FLOOR_SIGNER = "bench.signet.dev/floor";

/** A Pod's request, all but its signer; and a chain that answers it. */
type Asked = { readonly spec: Raw; readonly status: Raw };

/**
 * PodCertificateRequests created by 32 writers and answered on a real API server, in turns with the floor: a bare loop that
 * answers the same requests with ready-made chains. Milliseconds are from the creation to the written answer.
 */
export async function podcerts(size: number, _seconds: number): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "signet-bench-"));
  const cluster = await bootCluster({ fakeNodes: 1, audit: "off" });
  try {
    return await measure(cluster, folder, size);
  } finally {
    await cluster.stop();
    rmSync(folder, { recursive: true });
  }
}

async function measure(cluster: Cluster, folder: string, size: number): Promise<Figures> {
  const access = must(await readClusterAccess({ env: { KUBECONFIG: cluster.kubeconfigPath } }));
  const connection = makeConnection(access, { clock: systemClock });
  const client = makeKubeClient(connection);
  const answered = new Map<string, (at: number) => void>();
  const telling = telltale(client, answered);
  const means = { connection, clock: systemClock, random: Math.random, log: quietLog };
  const { issuer } = await testAuthority(PROFILES, "example.org", Date.now());
  const ledger = await openLedger({ path: join(folder, "ledger.db"), version: "bench", now: Date.now, failed: fail });
  const record = (line: IssuanceRecord): Promise<void> =>
    ledger.append([{ kind: "issuance", subject: line.subject, at: line.at, body: renderIssuanceRecord(line) }]);
  const lookup = () => ({ catalogue: catalogueOfShop, issuer, profiles: PROFILES });
  const walk = { lookup, record, now: Date.now, random: randomBytes, verify: verifyInThread(fail) };
  const pool = await makeRequests(cluster, client, async (csr) => {
    const { contents, chain } = must(await issue(podRequest(csr, "web", "cart", { ttlSeconds: 3600 }), walk));
    const times = { ...contents.window, beginRefreshAt: beginRefreshAt(contents.window, 0.5) };
    return issuedStatus({ chain: certificatesPem(chain), ...times }, Date.now());
  });
  const floor = new Reflector(REQUESTS, means, { changed: ({ object }) => void answerBare(object, pool, telling) });
  floor.start();
  const pods = new AccountPods(means);
  pods.start();
  const signer = runSigner({
    ...means,
    pods,
    walk,
    client: telling,
    version: "v1",
    first: () => true,
    events: new EventRecorder({ ...means, client: telling, instance: "bench" }),
    told: () => undefined,
  });
  const rounds: { readonly bare: Round; readonly ours: Round }[] = [];
  await run("warm", "signet.dev/svid", 64, { client, pool, answered });
  await run("warm-floor", FLOOR_SIGNER, 64, { client, pool, answered });
  const cpu = process.cpuUsage();
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    const count = Math.ceil(size / ROUNDS);
    const bare = await run(`floor-${turn}`, FLOOR_SIGNER, count, { client, pool, answered });
    rounds.push({ bare, ours: await run(`ours-${turn}`, "signet.dev/svid", count, { client, pool, answered }) });
  }
  const { user, system } = process.cpuUsage(cpu);
  await Promise.all([signer.stop(), floor.stop(), pods.stop()]);
  await ledger.close();
  connection.close();
  return figures(size, rounds, (user + system) / 1e6);
}

const catalogueOfShop = catalogueOf(SHOP_CATALOGUE);
const fail = (reason: string): never => {
  throw new Error(reason);
};

/** A client that tells when a request has its answer. */
const telltale = (client: KubeClient, answered: ReadonlyMap<string, (at: number) => void>): KubeClient => ({
  ...client,
  update: async (resource, object, options) => {
    const written = await client.update(resource, object, options);
    if (written.ok) answered.get(nameOf(object).name)?.(performance.now());
    return written;
  },
});

async function answerBare(object: Raw, pool: readonly Asked[], client: KubeClient): Promise<void> {
  const spec = rawAt(object, "spec");
  if (spec["signerName"] !== FLOOR_SIGNER || rawAt(object, "status")["conditions"] !== undefined) return;
  const found = pool.find((each) => each.spec["stubPKCS10Request"] === spec["stubPKCS10Request"]);
  if (found)
    must(await client.update(REQUESTS.resource, { ...object, status: found.status }, { subresource: "status" }));
}

async function makeRequests(
  cluster: Cluster,
  client: KubeClient,
  chainFor: (csr: Buffer) => Promise<Raw>,
): Promise<readonly Asked[]> {
  await createAccounts(cluster, "web", ["cart"]);
  const uidOf = async (path: string): Promise<string> => {
    const { body } = await client.call({ method: "GET", path });
    return textAt(rawAt(body as Raw, "metadata"), "uid") ?? "";
  };
  const [node, account] = [await uidOf("/api/v1/nodes/n1"), await uidOf("/api/v1/namespaces/web/serviceaccounts/cart")];
  const pool: Asked[] = [];
  for (let index = 0; index < PODS; index += 1) {
    const name = `cart-${index}`;
    await createPod(cluster, { namespace: "web", name, account: "cart", node: "n1" });
    const csr = csrOf(leafKey());
    const spec = {
      podName: name,
      podUID: await uidOf(`/api/v1/namespaces/web/pods/${name}`),
      serviceAccountName: "cart",
      serviceAccountUID: account,
      nodeName: "n1",
      nodeUID: node,
      maxExpirationSeconds: 3600,
      stubPKCS10Request: csr.toString("base64"),
    };
    pool.push({ spec, status: await chainFor(csr) });
  }
  return pool;
}

type Round = { readonly perSecond: number; readonly times: readonly number[] };
type World = {
  readonly client: KubeClient;
  readonly pool: readonly Asked[];
  readonly answered: Map<string, (at: number) => void>;
};

/** Creates so many requests of one signer and waits for all answers. */
async function run(label: string, signerName: string, count: number, world: World): Promise<Round> {
  const times: number[] = [];
  const waiting: Promise<void>[] = [];
  let next = 0;
  const started = performance.now();
  const creator = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const name = `${label}-${index}`;
      const began = performance.now();
      const asked = world.pool[index % world.pool.length];
      waiting.push(
        new Promise((resolve) =>
          world.answered.set(name, (at) => {
            times.push(at - began);
            world.answered.delete(name);
            resolve();
          }),
        ),
      );
      const object = { metadata: { name, namespace: "web" }, spec: { ...asked?.spec, signerName } };
      must(await world.client.create(REQUESTS.resource, object));
    }
  };
  await Promise.all(Array.from({ length: CREATORS }, creator));
  await Promise.all(waiting);
  return { perSecond: (count / (performance.now() - started)) * 1000, times };
}

function figures(
  size: number,
  rounds: readonly { readonly bare: Round; readonly ours: Round }[],
  cpu: number,
): Figures {
  const times = Float64Array.from(rounds.flatMap(({ ours }) => [...ours.times])).sort();
  return {
    name: "podcerts",
    size,
    opsPerSec: round(median(rounds.map(({ ours }) => ours.perSecond)), 0),
    floorOpsPerSec: round(median(rounds.map(({ bare }) => bare.perSecond)), 0),
    ratio: round(median(rounds.map(({ ours, bare }) => ours.perSecond / bare.perSecond))),
    p50Ms: round(quantile(times, 0.5)),
    p99Ms: round(quantile(times, 0.99)),
    rssMb: peakMb(process.pid),
    cpuSecPer1000: round((cpu / size / 2) * 1000, 3),
    machine: machine(),
  };
}
