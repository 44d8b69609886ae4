import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { formatInstant } from "../../src/domain/instant.ts";
import { accepted } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { type Installed, installSignet } from "../cluster/install.ts";
import { hubbleFile } from "../cluster/node/networks/cilium.ts";
import { JUDGED_POD_NETWORK } from "../cluster/node/networks/calico.ts";
import { STANDIN_IMAGE } from "../cluster/node/images.ts";
import { peersOf } from "../cluster/node/peers.ts";
import { type Probing, startProbing, type Watched } from "../cluster/node/probing.ts";
import { signetAs } from "../api/people.ts";
import { type HostState, hostState, tracesOf } from "../node/traces.ts";
import { ADMIN, COMMON, DENY_ALL, type Placed, WEB_TO_DB } from "./policies.ts";
import {
  CALLS,
  callsSeen,
  closeShop,
  endPublishing,
  EXAMPLE,
  MANIFESTS,
  openShop,
  podOf,
  prepareShop,
  publish,
  publishByServer,
  reachedByNode,
  shopPeers,
  signetCli,
} from "./shop.ts";

const BOOT_MS = 150_000;
const TEST_MS = 90_000;
const PATIENCE = { timeout: 60_000, interval: 500 };
const PODS = ["lab/web", "lab/db", "lab/other", "ns2/ext"];
const LISTENS = ["tcp/5432", "tcp/8080", "udp/5432", "udp/8080"];

let cluster: Cluster;
let signet: Installed;
let before: HostState;
let folder: string;

beforeAll(async () => {
  before = hostState();
  cluster = await bootCluster({ nodes: 1, networks: ["calico", "cilium"] });
  signet = await installSignet(cluster, { config: { cluster: { podNetworks: [JUDGED_POD_NETWORK] } } });
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
/** The kind above all policies that each judge has. */
const TIER = { calico: "AdminNetworkPolicy", cilium: "ClusterNetworkPolicy" } as const;

/** All calls are open throughout but those named; what is no call is closed. */
const watchedBut = (...but: readonly string[]): Watched => ({
  always: (line) => CALLS.has(line) && !but.includes(line),
  never: (line) => !CALLS.has(line),
});

/** The worked example, its sentences or its guardrail changed. */
async function changed(name: string, file: "policy.yaml" | "guardrail.yaml", change: (text: string) => string) {
  const target = join(folder, name);
  await cp(EXAMPLE, target, { recursive: true });
  await writeFile(join(target, file), change(await readFile(join(target, file), "utf8")));
  return target;
}

/** The workload that is put under quarantine: it is called, and calls six others. */
const CUT = "checkoutservice";
/** The calls that it has a part in, and the rest of them. */
const { cut: ITS = [], other: OTHERS = [] } = Object.groupBy(CALLS, (line) =>
  line.split(" ").includes(CUT) ? "cut" : "other",
);
const among =
  (lines: readonly string[]) =>
  (line: string): boolean =>
    lines.includes(line);
const ALICE = { user: "alice", groups: ["system:masters"] };
const BOB = { user: "bob", groups: ["system:masters"] };
/** How the server publishes for each: in Cilium its own kinds alone. */
const BY_SERVER = {
  calico: { components: ["publishing", "publishing-tiers"], target: "networkpolicy" },
  cilium: { components: ["publishing", "publishing-cilium"], target: "ciliumnetworkpolicy" },
} as const;
/** Whether a connection that stands lives on when its policy goes, and whether the Pod's own node is let through. */
const LIVES_ON = { calico: true, cilium: false } as const;
const NODE_REACHES = { calico: true, cilium: false } as const;
const CUT_OFF = {
  calico:
    /^In effect after [0-9.]+ s: 1 workload is cut off by networkpolicy, adminnetworkpolicy\. Connections that stand may live on until it is restarted\.$/,
  cilium:
    /^In effect after [0-9.]+ s: 1 workload is cut off by ciliumnetworkpolicy\. In connections that stand, replies for which no answer is needed may go on until it is restarted\.$/,
} as const;

const GONE = "frontend -> adservice tcp/9555";

/** Without the sentence that lets the frontend call the adservice. */
const withoutSentence = (): Promise<string> =>
  changed("without", "policy.yaml", (text) =>
    text
      .split("\n---\n")
      .filter((each) => !each.includes("{name: adservice, namespace"))
      .join("\n---\n"),
  );

/** With a denial that nobody reaches the adservice. */
const withDenial = (): Promise<string> =>
  changed("denied", "guardrail.yaml", (text) =>
    text.replace("  deny:\n", "  deny:\n  - {from: {entity: any}, to: {role: adservice}, why: it leaks}\n"),
  );

/** A policy of somebody else's that opens both doors between two of the shop's Pods. */
const HELPING_HAND: readonly Placed[] = [
  ["frontend", "policyTypes", "Egress", "egress"],
  ["adservice", "policyTypes", "Ingress", "ingress"],
].map(([app = "", types = "", direction = "", rules = ""]) => ({
  path: "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
  body: {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: `helping-hand-${app}` },
    spec: { podSelector: { matchLabels: { app } }, [types]: [direction], [rules]: [{}] },
  },
}));

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

    test("applied for what is there, the true call graph is let through and nothing else", {
      timeout: TEST_MS,
    }, async () => {
      const written = await publish(cluster, EXAMPLE);
      expect(written).toContain("apply NetworkPolicy default/signet-role-adservice (add)\n");
      expect(written).toContain(`apply ${TIER[judge]} /signet-deny-base-0 (add)\n`);
      await shop.until((line) => CALLS.has(line));
      expect(await publish(cluster, EXAMPLE)).toBe("No pair opens or closes.\n0 writes.\n");
    });

    test("one changed sentence prints the pair it closes before, and the kernel follows", {
      timeout: TEST_MS,
    }, async () => {
      expect(CALLS).toContain(GONE);
      const without = await withoutSentence();
      const shown = await publish(cluster, without, "--dry-run");
      expect(
        shown
          .split("\n")
          .slice(0, 3)
          .map((line) => line.split(/ {2,}/)),
      ).toEqual([
        ["FROM", "TO", "OPENS", "CLOSES"],
        [expect.stringMatching(/^default\/frontend/), expect.stringMatching(/^default\/adservice/), "-", "tcp/9555"],
        [expect.stringMatching(/^apply NetworkPolicy /)],
      ]);
      await shop.until((line) => CALLS.has(line));
      const wrong = await shop.during(watchedBut(GONE), async () => {
        await publish(cluster, without);
        await shop.until((line) => CALLS.has(line) && line !== GONE);
        await publish(cluster, EXAMPLE);
        await shop.until((line) => CALLS.has(line));
      });
      expect(wrong).toEqual([]);
    });

    test("what a guardrail denies stays closed, whatever a policy of somebody else's opens", {
      timeout: TEST_MS,
    }, async () => {
      await publish(cluster, await withDenial());
      for (const each of HELPING_HAND) await created(each);
      await shop.until((line) => CALLS.has(line) && line !== GONE);
      for (const each of HELPING_HAND) await accepted(cluster, "DELETE", pathOf(each));
      await publish(cluster, EXAMPLE);
      await shop.until((line) => CALLS.has(line));
    });

    if (judge === "cilium")
      test("what Hubble saw is evidence: it would break without a sentence, and not with all", {
        timeout: TEST_MS,
      }, async () => {
        const seen = join(folder, "seen");
        // What is external is played by the node, which may always.
        const inside = new Set([...CALLS].filter((line) => !line.startsWith("external")));
        const since = `--since=${formatInstant(Date.now())}`;
        const ways = async (): Promise<readonly string[]> => {
          await rm(seen, { recursive: true, force: true });
          await signetCli(["flows", "import", hubbleFile(cluster.stateDir), "--state", seen]);
          return callsSeen((await signetCli(["flows", "list", since, "--state", seen, "-o", "json"])).stdout);
        };
        await vi.waitFor(async () => {
          await shop.until((line) => CALLS.has(line));
          expect(new Set(await ways())).toEqual(inside);
        }, PATIENCE);
        const simulated = (catalogue: string) =>
          signetCli(["policy", "simulate", MANIFESTS, "--catalogue", catalogue, since, "--state", seen]);
        expect(await simulated(EXAMPLE)).toEqual({
          code: 0,
          stdout: expect.stringMatching(/^Nothing would break of \d+ flows\.\n$/),
          stderr: "",
        });
        const broken = await simulated(await withoutSentence());
        expect(broken.code).toBe(3);
        expect(broken.stdout.split("\n").map((line) => line.split(/ {2,}/).slice(0, 4))).toEqual([
          ["OWNER", "FROM", "TO", "ON"],
          [
            "shop@example.org",
            expect.stringMatching(/^default\/frontend/),
            expect.stringMatching(/^default\/adservice/),
            "tcp/9555",
          ],
          [""],
        ]);
      });

    if (judge === "cilium")
      test("a change to its own kinds is seen by nobody", { timeout: TEST_MS }, async () => {
        const wrong = await shop.during(watchedBut(), async () => {
          const written = await publish(cluster, EXAMPLE, "--target", "ciliumnetworkpolicy");
          expect(written).toContain("delete NetworkPolicy default/signet (remove)\n");
          await shop.until((line) => CALLS.has(line));
        });
        expect(wrong).toEqual([]);
        await publish(cluster, EXAMPLE);
      });

    test("a quarantine closes all connections of one workload, and no others; lifted, they are back", {
      timeout: 2 * TEST_MS,
    }, async () => {
      await publishByServer(cluster, BY_SERVER[judge]);
      await shop.until((line) => CALLS.has(line));
      const { name: pod, ip } = await podOf(cluster, CUT);
      const [standing, others] = [await shop.hold(among(ITS)), await shop.hold(among(OTHERS))];
      onTestFinished(async () => void (await Promise.all([standing.close(), others.close()])));
      const [its, untouched] = [await standing.answering(), await others.answering()];
      expect([its.length, untouched.length]).toEqual([7, 9]);
      const began = performance.now();
      const wrong = await shop.during(watchedBut(...ITS), async () => {
        const cutting = signetAs(cluster, ALICE, ["quarantine", pod, "--reason", "key in a log", "--wait", "60"]);
        const [fresh, live] = await Promise.all([
          shop.effect(ITS, "dropped", () => Promise.resolve()),
          expect
            .poll(standing.answering, { ...PATIENCE, interval: 50 })
            .toEqual(LIVES_ON[judge] ? its : [])
            .then(() => performance.now() - began),
        ]);
        const standingNow = LIVES_ON[judge] ? its : [];
        expect(await standing.answering()).toEqual(standingNow);
        process.stderr.write(`${judge}: new connections closed after ${Math.round(fresh)} ms, `);
        process.stderr.write(LIVES_ON[judge] ? "live ones go on\n" : `live ones after ${Math.round(live)} ms\n`);
        await shop.until(among(OTHERS));
        expect(await reachedByNode(cluster, ip, 5050)).toBe(NODE_REACHES[judge]);
        const { code, out } = await cutting;
        expect([code, out.split("\n").at(-2)]).toEqual([0, expect.stringMatching(CUT_OFF[judge])]);
        expect(await standing.answering()).toEqual(standingNow);
      });
      expect(wrong).toEqual([]);
      expect(await others.answering()).toEqual(untouched);
      const lifted = await signetAs(cluster, BOB, `quarantine ${pod} --lift`);
      expect([lifted.code, lifted.err]).toEqual([0, ""]);
      await shop.until((line) => CALLS.has(line));
      await endPublishing(cluster, BY_SERVER[judge]);
    });
  });
});
