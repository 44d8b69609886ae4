import { X509Certificate } from "node:crypto";
import { request } from "node:https";
import { join } from "node:path";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toPem } from "../../src/ca/pem.ts";
import { accepted, kubectlDone } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { type Installed, installSignet } from "../cluster/install.ts";
import { requestPodCertificate } from "../cluster/play-kubelet.ts";
import { csrOf, leafKey } from "../fakes/ca.ts";
import { applyApproved } from "./approve.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 90_000;
const POLL = { timeout: 60_000, interval: 100 };
const SIGNER = join(import.meta.dirname, "..", "..", "manifests/components/signer/signer.yaml");
const ID = "spiffe://example.org/ns/web/sa/front";
const PODS = "/api/v1/namespaces/web/pods";

const CATALOGUE = `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front]}, identity: {delivery: podCertificate}}}
`;

let cluster: Cluster;
let signet: Installed;

beforeAll(async () => {
  cluster = await bootCluster({ fakeNodes: 1, audit: "off" });
  await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name: "web" } } });
  await accepted(cluster, "POST", "/api/v1/namespaces/web/serviceaccounts", { body: { metadata: { name: "front" } } });
  await kubectlDone(cluster, ["create", "namespace", "signet-system", "--dry-run=client", "-o", "name"]);
  signet = await installSignet(cluster, { replicas: 2 });
  await kubectlDone(cluster, ["apply", "--server-side", "-f", SIGNER]);
  await applyApproved(cluster, CATALOGUE, "alice");
}, FIRST_BOOT_MS);

afterAll(async () => {
  await signet?.stop();
  await cluster?.stop();
}, TEST_MS);

type Json = { readonly [key: string]: unknown };
const get = async (path: string): Promise<Json> => (await cluster.request("GET", path)).body as Json;

/** The Pod as its owner writes it: nothing of certificates in it. */
const create = (name: string) =>
  accepted(cluster, "POST", PODS, {
    body: {
      metadata: { name },
      spec: { serviceAccountName: "front", nodeName: "n1", containers: [{ name: "app", image: "example.org/none" }] },
    },
  });

/** Creates Pods until one comes back with its volumes: the signer is on. */
async function delivered(prefix: string): Promise<string> {
  let number = 0;
  const volumes = async (): Promise<string> => {
    number += 1;
    return JSON.stringify(await create(`${prefix}-${number}`));
  };
  await expect.poll(volumes, POLL).toContain('"signerName":"signet.dev/svid"');
  return `${prefix}-${number}`;
}

async function certificateOf(pod: string): Promise<readonly X509Certificate[]> {
  const place = { namespace: "web", pod, node: "n1" };
  let name = "";
  const ask = async () => {
    const { answer } = await requestPodCertificate(cluster, place, "signet.dev/svid");
    name = (answer.body as { readonly metadata?: { readonly name?: string } }).metadata?.name ?? "";
    return answer.status;
  };
  await expect.poll(ask, POLL).toBe(201);
  let chain = "";
  const read = async () => {
    const { status } = await get(`/apis/certificates.k8s.io/v1/namespaces/web/podcertificaterequests/${name}`);
    chain = (status as { readonly certificateChain?: string } | undefined)?.certificateChain ?? "";
    return chain;
  };
  await expect.poll(read, POLL).toContain("BEGIN CERTIFICATE");
  return chain.split(/(?<=-----END CERTIFICATE-----\n)/).map((pem) => new X509Certificate(pem));
}

type Answered = { readonly status: number; readonly body: Json };

/** A request to one replica, by token or without. */
function ask(replica: number, path: string, body?: object, token?: string): Promise<Answered> {
  const port = signet.replicas()[replica]?.port ?? 0;
  const text = body === undefined ? "" : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: "127.0.0.1",
        port,
        path,
        method: body === undefined ? "GET" : "POST",
        agent: false,
        rejectUnauthorized: false,
        headers: {
          ...(body === undefined
            ? {}
            : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) }),
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("end", () =>
          resolve({
            status: incoming.statusCode ?? 0,
            body: JSON.parse(Buffer.concat(chunks).toString("utf8")) as Json,
          }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(text);
  });
}

async function tokenOf(pod: string, audience = "signet.dev"): Promise<string> {
  const { metadata } = (await get(`${PODS}/${pod}`)) as { readonly metadata: { readonly uid: string } };
  const body = {
    spec: {
      audiences: [audience],
      expirationSeconds: 600,
      boundObjectRef: { kind: "Pod", apiVersion: "v1", name: pod, uid: metadata.uid },
    },
  };
  const given = await accepted(cluster, "POST", "/api/v1/namespaces/web/serviceaccounts/front/token", { body });
  return (given as { readonly status: { readonly token: string } }).status.token;
}

const csr = (): string => toPem("CERTIFICATE REQUEST", csrOf(leafKey()));
const refusal = ({ status, body }: Answered): string => `${status} ${String(body["code"])} ${String(body["detail"])}`;

test("with the signer's component a Pod gets its volumes from admission and its certificate from the signer", {
  timeout: TEST_MS,
}, async () => {
  const [leaf, issuing] = await certificateOf(await delivered("front"));
  expect(leaf?.subjectAltName).toBe(`URI:${ID}`);
  const bundle = (await get("/apis/certificates.k8s.io/v1/clustertrustbundles/signet.dev:svid:bundle"))["spec"] as Json;
  const root = new X509Certificate(String(bundle["trustBundle"]));
  expect([bundle["signerName"], issuing?.verify(root.publicKey), issuing && leaf?.verify(issuing.publicKey)]).toEqual([
    "signet.dev/svid",
    true,
    true,
  ]);
});

test("a Pod's token brings it the same name over HTTP, from every replica, by the same keys", {
  timeout: TEST_MS,
}, async () => {
  const token = await tokenOf(await delivered("rest"));
  const ids = new Set<unknown>();
  for (const replica of [0, 1]) {
    await expect.poll(async () => (await ask(replica, "/v1/bundle")).status, POLL).toBe(200);
    const svid = await ask(replica, "/v1/svids", { csr: csr() }, token);
    expect([svid.status, svid.body["spiffeId"]]).toEqual([200, ID]);
    const issued: Json[] = [];
    const askToken = async (): Promise<number> => {
      const { status, body } = await ask(replica, "/v1/tokens", { audience: "shop" }, token);
      issued.splice(0, 1, body);
      return status;
    };
    // A replica reads the keys that another made a while later.
    await expect.poll(askToken, { ...POLL, interval: 500 }).toBe(200);
    expect(decodeJwt(String(issued[0]?.["token"]))).toMatchObject({ sub: ID, aud: "shop" });
    ids.add(JSON.stringify((await ask(replica, "/v1/bundle")).body));
  }
  expect(ids.size).toBe(1);
});

test("a token of another audience, of no Pod, or of a Pod that has gone is nobody's", {
  timeout: TEST_MS,
}, async () => {
  const pod = await delivered("gone");
  const token = await tokenOf(pod);
  expect(refusal(await ask(0, "/v1/svids", { csr: csr() }, await tokenOf(pod, "https://kubernetes.default.svc")))).toBe(
    "401 TOKEN_REFUSED The token is not for audience signet.dev.",
  );
  const free = await accepted(cluster, "POST", "/api/v1/namespaces/web/serviceaccounts/front/token", {
    body: { spec: { audiences: ["signet.dev"], expirationSeconds: 600 } },
  });
  const { status } = free as { readonly status: { readonly token: string } };
  expect(refusal(await ask(0, "/v1/svids", { csr: csr() }, status.token))).toBe(
    "401 TOKEN_REFUSED The token is not bound to a Pod.",
  );
  await accepted(cluster, "DELETE", `${PODS}/${pod}?gracePeriodSeconds=0`);
  await expect.poll(async () => (await ask(0, "/v1/svids", { csr: csr() }, token)).status, POLL).toBe(401);
});

test("what was issued, refused and will end is in the metrics, and no secret is in them or in a log", {
  timeout: TEST_MS,
}, async () => {
  const token = await tokenOf(await delivered("metrics"));
  expect((await ask(0, "/v1/svids", { csr: csr() }, token)).status).toBe(200);
  const texts = await Promise.all(signet.replicas().map((replica) => replica.metrics()));
  const all = texts.join("");
  expect(all).toMatch(
    /signet_issuance_total\{door="podCertificateRequest",what="svid",outcome="issued",reason="none"\} \d/,
  );
  expect(all).toMatch(/signet_issuance_total\{door="rest",what="svid",outcome="issued",reason="none"\} \d/);
  expect(all).toMatch(/signet_time_to_identity_seconds_count\{door="podCertificateRequest"\} [1-9]/);
  for (const what of ["root", "issuing"])
    expect(texts[0]).toMatch(new RegExp(`signet_expiry_timestamp_seconds\\{what="${what}",id="[0-9a-f]{16}"\\} \\d`));
  const said = signet.replicas().map((replica) => JSON.stringify(replica.log()));
  for (const text of [...texts, ...said]) {
    expect(text).not.toContain("PRIVATE KEY");
    expect(text).not.toContain(token.split(".")[2]);
  }
});
