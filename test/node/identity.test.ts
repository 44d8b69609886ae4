import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requestPodCertificate } from "../cluster/play-kubelet.ts";
import { CLIENTS_IMAGE } from "./clients-image.ts";
import { createPod, inside, linesOf, runPod } from "./pods.ts";
import { BACK, CLIENTS, frontOf, idOf, openShop, OPENSSL, type Shop } from "./shop.ts";

const BOOT_MS = 300_000;
const TEST_MS = 180_000;
const POLL = { timeout: 90_000, interval: 250 };
const CLI = join(import.meta.dirname, "../../src/bin/cli.ts");
const PODS = "/api/v1/namespaces/web/pods";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
}, BOOT_MS);
afterAll(() => shop?.stop(), TEST_MS);

/** A command of Signet's, by the cluster's administrator. */
async function signet(...args: string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const options = { env: { ...process.env, ...shop.cluster.env }, cwd: shop.cluster.stateDir };
  return promisify(execFile)(process.execPath, [CLI, ...args], options).catch((fault: unknown) => {
    const { stdout, stderr } = fault as { readonly stdout: string; readonly stderr: string };
    return { stdout, stderr };
  });
}

/** Each authority's identifier by the state it is in. */
async function authorities(): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await signet("ca", "status", "--cluster", "--output", "json");
  type Shown = { readonly authorities: readonly { readonly id: string; readonly state: string }[] };
  return Object.fromEntries((JSON.parse(stdout) as Shown).authorities.map(({ id, state }) => [state, id]));
}

/** What each client has heard so far, every answer once. */
const heard = () =>
  Promise.all(CLIENTS.map(async (client) => [...new Set(await linesOf(shop.cluster, "front", client))]));

/** The roots in the files of both Pods, as they are now. */
async function roots(): Promise<readonly (readonly string[])[]> {
  const readers = [
    ["back", "main"],
    ["front", "go"],
  ] as const;
  const texts = readers.map(([pod, container]) => inside(shop.cluster, pod, container, 'cat "$SIGNET_TRUST_BUNDLE"'));
  const found = (await Promise.all(texts)).map((text) =>
    text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g),
  );
  return found.map((each) => each ?? []);
}
const rootCounts = async () => (await roots()).map(({ length }) => length);

const answer = (authority = ""): string => `${idOf("front")} (of ${authority.slice(0, 8)})`;

test("openssl, go-spiffe and Java in a Pod call another Pod before, during and after a rotation: no handshake fails", {
  timeout: TEST_MS,
}, async () => {
  const { cluster } = shop;
  const address = await runPod(cluster, BACK);
  const listening = () => inside(cluster, "back", "main", "standin connect 127.0.0.1:8443");
  await expect.poll(listening, POLL).toBe("open\n");
  await runPod(cluster, frontOf(address));
  const { active: old } = await authorities();
  await expect.poll(heard, POLL).toEqual(CLIENTS.map(() => [answer(old)]));

  await signet("ca", "rotate", "--cluster");
  await expect.poll(rootCounts, POLL).toEqual([2, 2]);
  await expect.poll(authorities, POLL).toEqual({ tainted: old, active: expect.any(String) as string });
  const { active: next } = await authorities();
  expect(await heard()).toEqual(CLIENTS.map(() => [answer(old)]));
  // It asks anew for every Pod's certificate when it starts; its own refresh is awaited in test/refresh.
  await cluster.node().restart("kubelet");
  await expect.poll(heard, POLL).toEqual(CLIENTS.map(() => [answer(old), answer(next)]));

  // The old root leaves at once where its key is said to be stolen; else when all that it stands above has ended, a day later.
  await signet("ca", "rotate", "--cluster", "--compromised", old ?? "", "--remove", "now", "--yes");
  await expect.poll(rootCounts, POLL).toEqual([1, 1]);
  expect(await inside(cluster, "front", "openssl", `ADDRESS=${address}:8443; ${OPENSSL}`)).toBe(`${answer(next)}\n`);
  const calls = (await Promise.all(CLIENTS.map((client) => linesOf(cluster, "front", client)))).flat();
  expect(calls.filter((line) => line !== answer(old) && line !== answer(next))).toEqual([]);
  expect(calls.length).toBeGreaterThan(300);
  process.stderr.write(`0 of ${calls.length} calls failed\n`);
});

const idle = { name: "main", image: CLIENTS_IMAGE, command: ["sleep", "3600"] };

test("a Pod without a role gets no certificate, whatever it mounts, and is believed none of its own making", {
  timeout: TEST_MS,
}, async () => {
  const { cluster } = shop;
  const podCertificate = { signerName: "signet.dev/svid", keyType: "ECDSAP256", credentialBundlePath: "svid.pem" };
  const volumes = [{ name: "own", projected: { sources: [{ podCertificate }] } }];
  await createPod(cluster, { name: "claimant", account: "thief", containers: [idle], volumes });
  const told = async (): Promise<string> => {
    const { body } = await cluster.request("GET", "/apis/events.k8s.io/v1/namespaces/web/events");
    return JSON.stringify(body);
  };
  await expect.poll(told, POLL).toContain("The certificate waits: No role fits account web/thief.");

  const { body } = await cluster.request("GET", `${PODS}/back`);
  const { podIP } = (body as { readonly status: { readonly podIP: string } }).status;
  await runPod(cluster, { name: "thief", account: "thief", containers: [idle] });
  const forged = `openssl req -config /dev/null -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=front \
    -addext subjectAltName=URI:${idOf("front")} -keyout /tmp/own.pem -out /tmp/leaf.pem 2> /tmp/made
    cat /tmp/leaf.pem >> /tmp/own.pem
    printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -connect ${podIP}:8443 -cert /tmp/own.pem -key /tmp/own.pem 2>&1`;
  expect(await inside(cluster, "thief", "main", forged)).toMatch(/SSL alert number 42\n$/);
});

test("a node cannot ask for Pods of another node", { timeout: TEST_MS }, async () => {
  await shop.cluster.addFakeNodes(1);
  const other = { user: "system:node:n2", groups: ["system:nodes"] };
  const asked = ["n1", "n2"].map(async (node) => {
    const place = { namespace: "web", pod: "front", node };
    const made = await requestPodCertificate(shop.cluster, place, "signet.dev/svid", other);
    return made.answer.status;
  });
  expect(await Promise.all(asked)).toEqual([403, 403]);
});

test("a copied token of the Pod brings somebody on the host nothing", { timeout: TEST_MS }, async () => {
  const { cluster } = shop;
  const at = (name: string, text: string): string => {
    writeFileSync(join(cluster.stateDir, name), text, { mode: 0o600 });
    return join(cluster.stateDir, name);
  };
  const mounted = "/var/run/secrets/kubernetes.io/serviceaccount/token";
  const token = at("copied", await inside(cluster, "front", "go", `cat ${mounted}`));
  const { body } = await cluster.request("GET", "/api/v1/namespaces/signet-system/secrets/signet-serving");
  const { data } = body as { readonly data: Readonly<Record<string, string>> };
  const authority = at("authority.crt", Buffer.from(data["ca.crt"] ?? "", "base64").toString());
  const fetched = await signet("svid", "fetch", "--server", shop.signet.url, "--token-file", token, "--ca", authority);
  expect(fetched.stderr).toContain("The server refused: The token is not for audience signet.dev. [CALLER_UNKNOWN]");
});
