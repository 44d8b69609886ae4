import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { accepted } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { createAccounts } from "../cluster/certified-pods.ts";
import { STANDIN_IMAGE } from "../cluster/node/images.ts";
import { testAuthority, PROFILES } from "../fakes/ca.ts";
import { catalogueOf } from "../fakes/judging.ts";
import { admitted } from "./admitted.ts";
import { type RunningSigner, startSigner, type TestAuthority } from "./certified.ts";

const BOOT_MS = 240_000;
const TEST_MS = 150_000;
const POLL = { timeout: 60_000, interval: 200 };

const ROLES = `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front]}, identity: {delivery: podCertificate}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: back}, spec: {segment: shop, match: {serviceAccounts: [back]}, identity: {delivery: podCertificate}}}
`;
let cluster: Cluster;
let signer: RunningSigner;
let old: TestAuthority;
let next: TestAuthority;

beforeAll(async () => {
  cluster = await bootCluster({ nodes: 1 });
  await createAccounts(cluster, "web", ["front", "back"]);
  old = await testAuthority(PROFILES, "example.org", Date.now());
  next = await testAuthority(PROFILES, "example.org", Date.now());
  signer = await startSigner(cluster, ROLES, old);
  await signer.trust([old]);
}, BOOT_MS);

afterAll(async () => {
  await signer?.stop();
  await cluster?.stop();
}, TEST_MS);

const PODS = "/api/v1/namespaces/web/pods";
type Pod = { readonly status: { readonly phase: string; readonly podIP?: string } };

/** Creates a Pod as admission hands it on, and gives its address when it runs. */
async function run(name: string, account: string, args: string[]): Promise<string> {
  const containers = [{ name: "main", image: STANDIN_IMAGE, args }];
  const spec = { serviceAccountName: account, terminationGracePeriodSeconds: 1, containers };
  const metadata = { name, namespace: "web" };
  const body = admitted(catalogueOf(ROLES), { apiVersion: "v1", kind: "Pod", metadata, spec }, "web");
  await accepted(cluster, "POST", PODS, { body });
  return vi.waitFor(async () => {
    const { status } = (await cluster.request("GET", `${PODS}/${name}`)).body as Pod;
    expect(status).toMatchObject({ phase: "Running", podIP: expect.any(String) });
    return status.podIP ?? "";
  }, POLL);
}

/** What the caller has met so far, a line each. */
async function met(): Promise<readonly string[]> {
  const { stdout } = await cluster.kubectl(["logs", "--namespace=web", "caller"]);
  return stdout.split("\n").filter((line) => line !== "");
}

const issuerOf = ({ issuing }: TestAuthority): string => issuing.keyId.slice(0, 8);

const pair = (backBy: TestAuthority, frontBy: TestAuthority): string =>
  `called spiffe://example.org/ns/web/sa/back (of ${issuerOf(backBy)}), ` +
  `known as spiffe://example.org/ns/web/sa/front (of ${issuerOf(frontBy)})`;

async function rootsIn(pod: string): Promise<number> {
  const command = ["exec", "--namespace=web", pod, "--", "sh", "-c", 'cat "$SIGNET_TRUST_BUNDLE"'];
  return (await cluster.kubectl(command)).stdout.split("BEGIN CERTIFICATE").length - 1;
}

test("two Pods of different roles know each other by name before, during and after a change of authority", {
  timeout: TEST_MS,
}, async () => {
  const address = await run("back", "back", ["mtls/8443"]);
  const listening = ["exec", "--namespace=web", "back", "--", "standin", "connect", "127.0.0.1:8443"];
  await expect.poll(async () => (await cluster.kubectl(listening)).stdout, POLL).toBe("open\n");
  await run("caller", "front", ["call", `${address}:8443`, "600"]);
  await expect.poll(met, POLL).toEqual([pair(old, old)]);

  await signer.trust([old, next]);
  for (const pod of ["back", "caller"]) await expect.poll(() => rootsIn(pod), POLL).toBe(2);
  signer.issueBy(next);
  // It asks anew for every Pod's certificate when it starts; else one would wait for the refresh, minutes.
  await cluster.node().restart("kubelet");
  await expect.poll(met, POLL).toContain(pair(next, next));

  await signer.trust([next]);
  for (const pod of ["back", "caller"]) await expect.poll(() => rootsIn(pod), POLL).toBe(1);
  await cluster.kubectl(["exec", "--namespace=web", "caller", "--", "standin", "call", `${address}:8443`, "1"]);
  const between = [pair(old, next), pair(next, old)];
  expect((await met()).filter((line) => !between.includes(line))).toEqual([pair(old, old), pair(next, next)]);
});
