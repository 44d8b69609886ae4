import { generateKeyPairSync } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { accepted } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { type Installed, installSignet } from "../cluster/install.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 120_000;
const SECRET = "/api/v1/namespaces/signet-system/secrets/signet-serving";

let cluster: Cluster;
let signet: Installed;

beforeAll(async () => {
  cluster = await bootCluster();
  const config = { cluster: { leafLifetime: "20s", settle: "2s" } };
  signet = await installSignet(cluster, { replicas: 2, config });
  const metadata = { name: "enrolled", labels: { "signet.dev/enrol": "true" } };
  await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata } });
}, FIRST_BOOT_MS);

afterAll(async () => {
  await signet?.stop();
  await cluster?.stop();
}, TEST_MS);

/** Certificates in the shared bundle. */
async function bundle(): Promise<readonly string[]> {
  const { body } = await cluster.request("GET", SECRET);
  const { data } = body as { readonly data: Readonly<Record<string, string>> };
  const text = Buffer.from(data["ca.crt"] ?? "", "base64").toString("utf8");
  return text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
}

const ask = (value: string) =>
  accepted(cluster, "PATCH", SECRET, {
    contentType: "application/merge-patch+json",
    body: { metadata: { annotations: { "signet.dev/rotate": value } } },
  });

/** Creates Pods for nothing until told to stop; gives every answer that was no verdict of Signet's. */
function keepAsking(): {
  readonly stop: () => Promise<{ readonly asked: number; readonly failures: readonly string[] }>;
} {
  const until = new AbortController();
  let asked = 0;
  const failures: string[] = [];
  const body = { metadata: { name: "any" }, spec: { containers: [{ name: "main", image: "example.org/none" }] } };
  const run = async (): Promise<void> => {
    while (!until.signal.aborted) {
      const answer = await cluster.request("POST", "/api/v1/namespaces/enrolled/pods?dryRun=All", { body });
      asked += 1;
      const { message } = answer.body as { readonly message?: string };
      if (!message?.includes("ROLE_NONE")) failures.push(`${answer.status} ${message}`);
      await sleep(20);
    }
  };
  const running = run();
  return {
    stop: async () => {
      until.abort();
      await running;
      return { asked, failures };
    },
  };
}

test("the authority is replaced while Pods are created, and no call meets a certificate that is not trusted", {
  timeout: TEST_MS,
}, async () => {
  const [before] = await bundle();
  const asking = keepAsking();
  await ask("first");
  await expect.poll(async () => (await bundle()).length, { timeout: 20_000 }).toBe(2);
  await expect.poll(async () => (await bundle()).length, { timeout: 60_000 }).toBe(1);
  await sleep(2_000);
  const { asked, failures } = await asking.stop();
  expect(failures).toEqual([]);
  expect(asked).toBeGreaterThan(100);
  expect(await bundle()).not.toEqual([before]);
});

type State = { readonly authorities: readonly { readonly key: string }[] };

/** Puts a key into the newer authority that does not belong to its certificate, as a broken disk or hand might. */
async function breakNewer(): Promise<void> {
  const { body } = await cluster.request("GET", SECRET);
  const { metadata, data } = body as { readonly metadata: { readonly resourceVersion: string }; readonly data: Data };
  const state = JSON.parse(Buffer.from(data["state.json"] ?? "", "base64").toString("utf8")) as State;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = privateKey.export({ format: "pem", type: "pkcs8" });
  const broken = {
    ...state,
    authorities: state.authorities.map((each, index) => (index === 1 ? { ...each, key } : each)),
  };
  const kept = Buffer.from(JSON.stringify(broken)).toString("base64");
  const { resourceVersion } = metadata;
  await accepted(cluster, "PATCH", SECRET, {
    contentType: "application/merge-patch+json",
    body: { metadata: { resourceVersion }, data: { "state.json": kept } },
  });
}

type Data = Readonly<Record<string, string>>;

test("a newer authority that is broken is given up, and no call ever depended on it", {
  timeout: TEST_MS,
}, async () => {
  const before = await bundle();
  const asking = keepAsking();
  await ask("broken");
  await expect.poll(async () => (await bundle()).length, { timeout: 20_000 }).toBe(2);
  await breakNewer();
  await expect.poll(bundle, { timeout: 60_000 }).toEqual(before);
  expect((await asking.stop()).failures).toEqual([]);
  const told = signet.replicas().flatMap((each) => each.log());
  expect(told.filter(({ msg }) => String(msg).startsWith("The newer serving authority was given up"))).toHaveLength(1);
});

test("the Secret and the Lease are deleted: both come back as they were, and no call fails", {
  timeout: TEST_MS,
}, async () => {
  const lease = "/apis/coordination.k8s.io/v1/namespaces/signet-system/leases/signet-leader";
  const before = await bundle();
  const asking = keepAsking();
  await accepted(cluster, "DELETE", SECRET);
  await expect.poll(async () => (await cluster.request("GET", SECRET)).status, { timeout: 30_000 }).toBe(200);
  expect(await bundle()).toEqual(before);
  await accepted(cluster, "DELETE", lease);
  const held = { status: 200, body: { spec: { holderIdentity: expect.stringMatching(/^(?!absent-)./) } } };
  await expect.poll(() => cluster.request("GET", lease), { timeout: 60_000 }).toMatchObject(held);
  expect((await asking.stop()).failures).toEqual([]);
});

test("the replica that leads is killed in the middle, and the other brings it to its end", {
  timeout: TEST_MS,
}, async () => {
  const [before] = await bundle();
  await ask("second");
  await expect.poll(async () => (await bundle()).length, { timeout: 20_000 }).toBe(2);
  const leader = signet
    .replicas()
    .find((each) => each.log().some(({ msg }) => msg === "this replica writes from now on"));
  await leader?.end("SIGKILL");
  await expect.poll(async () => (await bundle()).length, { timeout: 90_000 }).toBe(1);
  expect(await bundle()).not.toEqual([before]);
});
