import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kubectlDone } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { type Installed, installSignet } from "../cluster/install.ts";
import type { Replica } from "../cluster/replica.ts";
import { handClock, keeperOver, memoryVault, workAll } from "../fakes/vault.ts";
import { applyApproved } from "../api/approve.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 300_000;
const POLL = { timeout: 120_000, interval: 250 };
const ROOT = join(import.meta.dirname, "..", "..");
const SIGNER = join(ROOT, "manifests/components/signer/signer.yaml");
const CATALOGUE =
  "{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}";

let cluster: Cluster;
let signet: Installed;
let folder: string;

beforeAll(async () => {
  cluster = await bootCluster({ audit: "off" });
  signet = await installSignet(cluster, { replicas: 2, config: { authorities: { settle: "1s" } } });
  await kubectlDone(cluster, ["apply", "--server-side", "-f", SIGNER]);
  await keepAgedAuthority();
  await applyApproved(cluster, CATALOGUE, "alice");
  folder = await mkdtemp(join(tmpdir(), "signet-ca-"));
}, FIRST_BOOT_MS);

afterAll(async () => {
  await signet?.stop();
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
}, TEST_MS);

/** Puts an authority that has lived for more than half of its time where Signet keeps them. */
async function keepAgedAuthority(): Promise<void> {
  const vault = memoryVault();
  await workAll(keeperOver(vault, { ...handClock(), wall: Date.now() - 46 * 86_400_000 }));
  const data = { "state.json": Buffer.from(vault.text ?? "").toString("base64") };
  const patch = ["patch", "secret", "signet-authorities", "--patch", JSON.stringify({ data })];
  await kubectlDone(cluster, ["--namespace", "signet-system", ...patch]);
}

type Ran = { readonly code: number; readonly out: string };
const ca = (...args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) =>
    execFile(
      process.execPath,
      [join(ROOT, "src/bin/cli.ts"), "ca", ...args],
      { cwd: folder, env: { ...process.env, ...cluster.env, SIGNET_PASSPHRASE: "a passphrase of some length" } },
      (fault, stdout, stderr) => resolve({ code: fault ? Number(fault.code) : 0, out: stdout + stderr }),
    ),
  );

type Status = {
  readonly authorities: readonly { readonly id: string; readonly state: string; readonly offline?: boolean }[];
  readonly rotation: { readonly stage: string; readonly paused: boolean };
  readonly bundle: { readonly sequence: number; readonly fingerprints: readonly string[] };
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
};
const TRUST_DOMAIN = "/apis/signet.dev/v1alpha1/trustdomains/local";
const status = async (): Promise<Status> =>
  ((await cluster.request("GET", TRUST_DOMAIN)).body as { readonly status: Status }).status;
const states = async (): Promise<readonly string[]> => ((await status()).authorities ?? []).map(({ state }) => state);
const condition = async (type: string): Promise<string> => {
  const found = (await status()).conditions.find((each) => each.type === type);
  return `${found?.status} ${found?.reason}`;
};
const rootsFor = async (): Promise<number> => {
  const { body } = await cluster.request(
    "GET",
    "/apis/certificates.k8s.io/v1/clustertrustbundles/signet.dev:svid:bundle",
  );
  const { spec } = body as { readonly spec?: { readonly trustBundle?: string } };
  return spec?.trustBundle?.match(/BEGIN CERTIFICATE/g)?.length ?? 0;
};

/** The replica whose steps are in its log the last: the one that writes. */
const writer = (): Replica => {
  const steps = (replica: Replica) => replica.log().filter(({ msg }) => msg === "The authorities have changed.");
  const [first] = signet
    .replicas()
    .filter((replica) => replica.running())
    .sort((a, b) => Number(steps(b).at(-1)?.["time"] ?? 0) - Number(steps(a).at(-1)?.["time"] ?? 0));
  if (!first) throw new Error("no replica runs");
  return first;
};

test("an authority past half of its life is succeeded by itself, though the replica that writes is killed on the way", {
  timeout: TEST_MS,
}, async () => {
  await expect.poll(async () => (await states()).length, POLL).toBe(2);
  expect(await condition("Signing")).toBe("True AuthorityActive");
  await writer().end("SIGKILL");
  await expect.poll(states, POLL).toEqual(["tainted", "active"]);
  await expect.poll(rootsFor, POLL).toBe(2);
  await signet.add();
  expect((await status()).bundle.fingerprints).toHaveLength(2);
  expect([await condition("Rotating"), await condition("Compromised"), await condition("Approved")]).toEqual([
    "True OldRootInBundle",
    "False NoneKnown",
    "True ApprovedByEditing",
  ]);
  expect(await ca("status", "--cluster")).toEqual({
    code: 0,
    out: expect.stringMatching(/^Trust domain example\.org, bundle 2\nStage tainted since /) as string,
  });
});

test("it is paused, rolled back and resumed by command, and refusals come back in words", {
  timeout: TEST_MS,
}, async () => {
  const done = { code: 0, out: "Done. `signet ca status` shows what follows.\n" };
  expect(await ca("rotate", "--pause", "--cluster")).toEqual(done);
  expect(await ca("rotate", "--rollback", "--cluster")).toEqual(done);
  await expect.poll(states, POLL).toEqual(["active", "tainted"]);
  expect(await ca("rotate", "--cluster")).toEqual(done);
  await expect.poll(async () => (await status()).rotation, POLL).toMatchObject({ stage: "requested", paused: true });
  expect(await condition("Rotating")).toBe("True Paused");
  expect(await ca("rotate", "--pause", "--cluster")).toEqual({
    code: 2,
    out: expect.stringContaining(
      'The step "pause" cannot be made now: it is paused already. [ROTATION_REFUSED]',
    ) as string,
  });
  expect(await states()).toEqual(["active", "tainted"]);
  expect(await ca("rotate", "--resume", "--cluster")).toEqual(done);
  await expect.poll(states, POLL).toEqual(["tainted", "tainted", "active"]);
});

test("stolen keys for tokens are dropped by command, in every replica", { timeout: TEST_MS }, async () => {
  const alive = () => signet.replicas().filter((replica) => replica.running());
  const keyNames = async (): Promise<readonly string[]> => {
    const answers = await Promise.all(alive().map((replica) => replica.text("/keys")));
    return answers.map((text) => (JSON.parse(text) as { keys: [{ kid: string }] }).keys.map(({ kid }) => kid).join());
  };
  const [stolen = ""] = await keyNames();
  expect(stolen).toMatch(/^[\w-]{43}$/);
  expect((await ca("rotate", "--tokens", "--compromised", "--yes", "--cluster")).code).toBe(0);
  await expect.poll(async () => (await keyNames()).includes(stolen), POLL).toBe(false);
  expect(new Set(await keyNames()).size).toBe(1);
});

test("an offline root certifies the cluster's next authority, whose key never leaves its Secret", {
  timeout: TEST_MS,
}, async () => {
  expect((await ca("init", "--trust-domain", "example.org", "--out", "root")).code).toBe(0);
  expect(await ca("csr", "--cluster", "--out", "next.csr")).toEqual({ code: 0, out: "" });
  expect((await ca("sign", "next.csr", "--root", "root", "--out", "chain.pem")).code).toBe(0);
  expect((await ca("import", "chain.pem", "--cluster")).code).toBe(0);
  await expect
    .poll(async () => (await status()).authorities.at(-1), POLL)
    .toMatchObject({ state: "active", offline: true });
});

test("after a theft the old root leaves every bundle at once, and another authority signs, in both replicas", {
  timeout: TEST_MS,
}, async () => {
  const stolen = (await status()).authorities.find(({ state }) => state === "tainted")?.id ?? "";
  await expect.poll(rootsFor, POLL).toBe(4);
  const planned = await ca("rotate", "--compromised", stolen, "--remove", "now", "--cluster");
  expect([planned.code, planned.out]).toEqual([0, expect.stringContaining("Nothing was done. With --yes it is.")]);
  expect((await ca("rotate", "--compromised", stolen, "--remove", "now", "--yes", "--cluster")).code).toBe(0);
  await expect
    .poll(async () => (await status()).authorities.find(({ id }) => id === stolen)?.state, POLL)
    .toBe("revoked");
  await expect.poll(rootsFor, POLL).toBe(3);
  const said = signet.replicas().map((replica) => JSON.stringify(replica.log()));
  for (const text of said) expect(text).not.toContain("PRIVATE KEY");
});
