import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { accepted, kubectlDone } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { type Installed, installSignet } from "../cluster/install.ts";
import { STANDIN_IMAGE } from "../cluster/node/images.ts";
import { peersOf } from "../cluster/node/peers.ts";
import { type Probing, startProbing } from "../cluster/node/probing.ts";
import { type HostState, hostState, tracesOf } from "../node/traces.ts";
import { ADMIN, COMMON, DENY_ALL, type Placed, WEB_TO_DB } from "./policies.ts";
import { CALLS, compiledSentences, EXAMPLE, openShop, prepareShop, shopPeers, closeShop } from "./shop.ts";

const BOOT_MS = 150_000;
const TEST_MS = 90_000;
const PODS = ["lab/web", "lab/db", "lab/other", "ns2/ext"];
const LISTENS = ["tcp/5432", "tcp/8080", "udp/5432", "udp/8080"];

let cluster: Cluster;
let signet: Installed;
let before: HostState;
let folder: string;

beforeAll(async () => {
  before = hostState();
  cluster = await bootCluster({ nodes: 1, networks: ["calico", "cilium"] });
  signet = await installSignet(cluster);
  await prepareShop(cluster);
  for (const name of ["lab", "ns2"]) await created({ path: "/api/v1/namespaces", body: { metadata: { name } } });
  folder = await mkdtemp(join(tmpdir(), "signet-sentences-"));
}, BOOT_MS);

afterAll(async () => {
  await rm(folder, { recursive: true });
  await signet.stop();
  await cluster.stop();
  expect(await tracesOf(cluster.stateDir, 20_000)).toEqual([]);
  expect(hostState()).toEqual(before);
}, TEST_MS);

const created = ({ path, body }: Placed): Promise<unknown> => accepted(cluster, "POST", path, { body });

const pathOf = ({ path, body }: Placed): string =>
  `${path}/${(body as { readonly metadata: { readonly name: string } }).metadata.name}`;

async function makePods(): Promise<void> {
  for (const each of PODS) {
    const [namespace, name] = each.split("/");
    const containers = [{ name: "main", image: STANDIN_IMAGE, args: LISTENS }];
    const metadata = { name, labels: { app: name } };
    const body = { apiVersion: "v1", kind: "Pod", metadata, spec: { containers } };
    await created({ path: `/api/v1/namespaces/${namespace}/pods`, body });
  }
}

const JUDGES = ["calico", "cilium"] as const;

/** The worked example without the sentences of one of its policies. */
async function without(policy: string): Promise<string> {
  const target = join(folder, `without-${policy}`);
  await cp(EXAMPLE, target, { recursive: true });
  const file = join(target, "policy.yaml");
  const documents = (await readFile(file, "utf8")).split("\n---\n");
  await writeFile(file, documents.filter((each) => !each.includes(`{name: ${policy}, namespace`)).join("\n---\n"));
  return target;
}

describe.each(JUDGES)("under %s", (judge) => {
  // Pods that were there are gone then.
  beforeAll(async () => {
    if (cluster.node().network() !== judge) await cluster.node().useNetwork(judge);
  }, BOOT_MS);

  describe("policies", () => {
    let probing: Probing;
    let applied: readonly Placed[] = [];

    beforeAll(async () => {
      await makePods();
      const peers = await peersOf(cluster, ["lab", "ns2"], PODS.length, ({ metadata }) => ({
        name: metadata.name,
        listens: LISTENS,
      }));
      probing = await startProbing(cluster, peers);
      // Its containers are asked late whether they are well: it gets Ready while others are tried.
      await openShop(cluster);
    }, BOOT_MS);

    afterEach(async () => {
      for (const each of applied) await accepted(cluster, "DELETE", pathOf(each));
      applied = [];
      await probing.until(() => true);
    }, TEST_MS);

    afterAll(() => probing?.close());

    async function apply(objects: readonly Placed[]): Promise<void> {
      applied = objects;
      for (const each of objects) await created(each);
    }

    test.each([...COMMON, ...ADMIN[judge]])("$title", { timeout: TEST_MS }, async ({ objects, passes }) => {
      await apply(objects);
      await probing.until((line) => passes.test(line));
    });

    test("a policy that is taken away, and one that comes, is followed", { timeout: TEST_MS }, async () => {
      await apply([DENY_ALL]);
      await probing.until((line) => line.includes("-> ext "));
      const opened = await probing.effect(["web -> db tcp/5432"], "open", () => apply([DENY_ALL, WEB_TO_DB].slice(1)));
      applied = [DENY_ALL, WEB_TO_DB];
      const closed = await probing.effect(["web -> db tcp/5432"], "dropped", async () => {
        await accepted(cluster, "DELETE", pathOf(WEB_TO_DB));
        applied = [DENY_ALL];
      });
      process.stderr.write(`${judge}: opened after ${Math.round(opened)} ms, closed after ${Math.round(closed)} ms\n`);
    });
  });

  describe("Online Boutique, its sentences compiled", () => {
    let shop: Probing;

    beforeAll(async () => {
      shop = await startProbing(cluster, await shopPeers(cluster));
    }, BOOT_MS);

    afterAll(async () => {
      await shop?.close();
      await closeShop(cluster);
    }, TEST_MS);

    const publish = async (catalogue: string): Promise<string> =>
      kubectlDone(cluster, ["apply", "-f", "-"], { stdin: await compiledSentences(catalogue) });

    test("its true call graph is let through and nothing else", { timeout: TEST_MS }, async () => {
      await publish(EXAMPLE);
      await shop.until((line) => CALLS.has(line));
    });

    test("a sentence that is taken away closes its one connection", { timeout: TEST_MS }, async () => {
      const gone = "frontend -> adservice tcp/9555";
      expect(CALLS).toContain(gone);
      await publish(await without("adservice"));
      await shop.until((line) => CALLS.has(line) && line !== gone);
      await publish(EXAMPLE);
      await shop.until((line) => CALLS.has(line));
    });
  });
});
