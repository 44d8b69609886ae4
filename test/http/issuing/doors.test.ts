import { X509Certificate } from "node:crypto";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { composeSpiffeId } from "../../../src/domain/spiffe-id.ts";
import { csrOf, leafKey, PROFILES, SHOP_CATALOGUE, testAuthority } from "../../fakes/ca.ts";
import { catalogueOf, must, NOON } from "../../fakes/judging.ts";
import { toPem } from "../../../src/ca/pem.ts";
import { type Answered, newCsr, openDoor, podOf } from "./door.ts";

const CART = must(composeSpiffeId("example.org", "web", "cart"));
let door: Awaited<ReturnType<typeof openDoor>>;

beforeAll(async () => {
  door = await openDoor({ credential: { burst: 1000, perSecond: 1000 }, failures: { burst: 1000, perSecond: 1000 } });
});
afterAll(() => door.stop());
beforeEach(() => {
  door.ledger.length = 0;
  door.world.now = NOON;
  door.world.catalogue = catalogueOf(SHOP_CATALOGUE);
  door.world.pods = [podOf("web", "cart"), podOf("pay", "orders-db")];
  door.world.tokens = new Map([
    ["cart-token", podOf("web", "cart")],
    ["db-token", podOf("pay", "orders-db")],
  ]);
});

const told = ({ status, body }: Answered): string => `${status} ${String(body["code"])} ${String(body["detail"])}`;
const leafOf = ({ body }: Answered): X509Certificate => new X509Certificate(String(body["certificates"]));

test("a Pod's token brings its SVID, and the ledger had it first", async () => {
  const answer = await door.ask("/v1/svids", { token: "cart-token", body: { csr: newCsr() } });
  expect(answer.status).toBe(200);
  expect(Object.keys(answer.body)).toEqual(["spiffeId", "serial", "certificates", "bundle", "notBefore", "notAfter"]);
  expect(leafOf(answer).subjectAltName).toBe(`DNS:cart.web.svc, URI:${CART}`);
  expect(door.ledger).toMatchObject([
    {
      door: "rest",
      outcome: "issued",
      caller: "system:serviceaccount:web:cart",
      subject: "Pod web/cart-1",
      serial: answer.body["serial"],
    },
  ]);
});

test("a current SVID brings the next one, whether its chain is shown or its leaf alone", async () => {
  const { cert, leaf, key, serial } = await door.svidOf("web", "cart");
  for (const shown of [cert, leaf]) {
    const answer = await door.ask("/v1/svids", { cert: shown, key, body: { csr: newCsr(), ttlSeconds: 3600 } });
    expect([answer.status, answer.body["spiffeId"]]).toEqual([200, CART]);
  }
  const renewed = { caller: `${CART} by certificate ${serial}`, subject: "Pod web/cart-1" };
  expect(door.ledger).toMatchObject([renewed, renewed]);
});

test("where several Pods hold an identity, the ledger blames none of them for a renewal", async () => {
  const svid = await door.svidOf("web", "cart");
  door.world.pods.push(podOf("web", "cart", "cart-2"));
  expect((await door.ask("/v1/svids", { ...svid, body: { csr: newCsr() } })).status).toBe(200);
  expect(door.ledger).toMatchObject([{ outcome: "issued", subject: "Identity web/cart" }]);
});

test("a JWT-SVID is for the audience asked, and the ledger has its name and not its text", async () => {
  const answer = await door.ask("/v1/tokens", { token: "cart-token", body: { audience: "shop" } });
  const token = String(answer.body["token"]);
  expect(decodeJwt(token)).toMatchObject({ sub: CART, aud: "shop", exp: NOON / 1000 + 900 });
  expect(door.ledger).toMatchObject([
    { outcome: "issued", id: decodeJwt(token).jti, spiffeId: CART, audiences: ["shop"], expiresAt: NOON + 900_000 },
  ]);
  expect(JSON.stringify(door.ledger)).not.toContain(token.split(".")[2]);
});

test("whatever a request asks for, the caller gets its own name: subject and names in a CSR are not looked at", async () => {
  const csr = newCsr({ commonName: "spiffe://example.org/ns/pay/sa/orders-db" });
  const mine = await door.ask("/v1/svids", { token: "cart-token", body: { csr } });
  const replayed = await door.ask("/v1/svids", { token: "db-token", body: { csr } });
  expect([leafOf(mine).subject, mine.body["spiffeId"]]).toEqual([undefined, CART]);
  expect(replayed.body["spiffeId"]).toBe("spiffe://example.org/ns/pay/sa/orders-db");
});

test.each<[string, Parameters<typeof door.ask>[1], string]>([
  ["nothing", {}, "401 CALLER_UNKNOWN The caller has shown neither a token nor a certificate."],
  [
    "another scheme",
    { authorization: "Basic YTpi" },
    "401 CALLER_UNKNOWN The header Authorization is not `Bearer TOKEN`.",
  ],
  [
    "two tokens",
    { authorization: "Bearer cart-token, Bearer db-token" },
    "401 CALLER_UNKNOWN The header Authorization is not `Bearer TOKEN`.",
  ],
  [
    "a token with a line in it",
    { authorization: "Bearer cart-token\tx" },
    "401 CALLER_UNKNOWN The header Authorization is not `Bearer TOKEN`.",
  ],
  [
    "a token of 9,000 bytes",
    { token: "a".repeat(9000) },
    "401 CALLER_UNKNOWN The header Authorization is not `Bearer TOKEN`.",
  ],
  ["a token of nobody", { token: "stolen" }, "401 TOKEN_REFUSED The API server does not accept this token for us."],
])("a caller that shows %s is nobody", async (_, asking, sentence) => {
  const answer = await door.ask("/v1/svids", { ...asking, body: { csr: newCsr() } });
  expect([told(answer), answer.headers["www-authenticate"]]).toEqual([sentence, "Bearer"]);
  expect(door.ledger).toEqual([]);
});

test("an SVID of another root, of another trust domain, or an authority's own certificate proves nothing", async () => {
  const { key } = await door.svidOf("web", "cart");
  const other = await openDoor();
  const stranger = await other.svidOf("web", "cart");
  await other.stop();
  const foreign = await testAuthority(PROFILES, "example.net");
  const foreignPem = new X509Certificate(foreign.issuing.der).toString();
  const ownKey = foreign.key.export({ type: "pkcs8", format: "pem" }).toString();
  for (const shown of [stranger, { cert: foreignPem, key: ownKey }])
    expect(await door.ask("/v1/svids", { ...shown, body: { csr: newCsr() } })).toMatchObject({
      status: 401,
      body: { code: "SVID_INVALID" },
    });
  const authority = door.authority.key.export({ type: "pkcs8", format: "pem" }).toString();
  const authorityPem = new X509Certificate(door.authority.issuing.der).toString();
  expect(told(await door.ask("/v1/svids", { cert: authorityPem, key: authority, body: { csr: newCsr() } }))).toBe(
    "401 SVID_INVALID The certificate proves no identity: a leaf is no authority (X509-SVID §4.1).",
  );
  expect(key).toContain("PRIVATE KEY");
});

test("clocks five minutes apart are survived; a day's jump ends a certificate, and a jump back begins none", async () => {
  const svid = await door.svidOf("web", "cart");
  const status = async (now: number) => {
    door.world.now = now;
    return (await door.ask("/v1/svids", { cert: svid.cert, key: svid.key, body: { csr: newCsr() } })).status;
  };
  expect(await status(NOON + 300_000)).toBe(200);
  expect(await status(NOON + 86_400_000)).toBe(401);
  expect(await status(NOON - 86_400_000)).toBe(401);
  expect(await status(NOON)).toBe(200);
});

test("a certificate whose workload has gone is not renewed", async () => {
  const svid = await door.svidOf("web", "cart");
  door.world.pods = [];
  expect(told(await door.ask("/v1/svids", { ...svid, body: { csr: newCsr() } }))).toBe(
    `401 CALLER_UNKNOWN Nobody who runs holds ${CART}.`,
  );
});

test.each([
  ["its identity", `{identity: "${CART}"}`],
  ["its Pod", "{pod: {namespace: web, name: cart-1}}"],
  ["its node", "{node: {name: n1}}"],
  ["its segment", "{segment: shop}"],
  ["its role", "{role: cart}"],
])("a restriction of %s closes every door, by token and by SVID", async (_, target) => {
  const svid = await door.svidOf("web", "cart");
  door.world.catalogue = catalogueOf(`${SHOP_CATALOGUE}---
{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q-1}, spec: {target: ${target}, effect: revoke, reason: It leaked.}}
`);
  const sentence = "403 IDENTITY_RESTRICTED Restriction q-1 (revoke) stands against it: It leaked.";
  for (const asking of [{ token: "cart-token" }, svid]) {
    expect(told(await door.ask("/v1/svids", { ...asking, body: { csr: newCsr() } }))).toBe(sentence);
    expect(told(await door.ask("/v1/tokens", { ...asking, body: { audience: "shop" } }))).toBe(sentence);
  }
  expect((await door.ask("/v1/svids", { token: "db-token", body: { csr: newCsr() } })).status).toBe(
    target.includes("n1") ? 403 : 200,
  );
});

const restricting = (target: string): string =>
  `${SHOP_CATALOGUE}---
{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q-2}, spec: {target: ${target}, effect: revoke, reason: Taken.}}
`;

test.each([
  ["a Pod", "{pod: {namespace: web, name: cart-0}}"],
  ["a Pod by its UID, whose name another account's Pod has now", "{pod: {namespace: web, name: front-1, uid: old}}"],
  ["a virtual machine", "{virtualMachine: {namespace: web, name: vm}}"],
  ["a node where none of them runs", "{node: {name: n0}}"],
])("once it has gone, a restriction of %s stops certificates that may be its own, and no token", async (_, target) => {
  const svid = await door.svidOf("web", "cart");
  door.world.pods.push(podOf("web", "front"));
  door.world.catalogue = catalogueOf(restricting(target));
  expect(told(await door.ask("/v1/svids", { ...svid, body: { csr: newCsr() } }))).toBe(
    "403 IDENTITY_RESTRICTED Restriction q-2 (revoke) stands against it: Taken.",
  );
  expect((await door.ask("/v1/svids", { token: "cart-token", body: { csr: newCsr() } })).status).toBe(200);
});

test("a restriction of a virtual machine stops its launcher's Pod, by token and by SVID", async () => {
  const svid = await door.svidOf("web", "cart");
  const owner = "[{apiVersion: kubevirt.io/v1, kind: VirtualMachineInstance, name: vm, uid: vmi-1, controller: true}]";
  const launcher = podOf("web", "cart", "virt-launcher-vm-abcde", owner);
  door.world.pods = [launcher];
  door.world.tokens.set("launcher-token", launcher);
  door.world.catalogue = catalogueOf(restricting("{virtualMachine: {namespace: web, name: vm, uid: vm-1}}"));
  for (const asking of [{ token: "launcher-token" }, svid])
    expect(told(await door.ask("/v1/svids", { ...asking, body: { csr: newCsr() } }))).toBe(
      "403 IDENTITY_RESTRICTED Restriction q-2 (revoke) stands against it: Taken.",
    );
  expect((await door.ask("/v1/svids", { token: "cart-token", body: { csr: newCsr() } })).status).toBe(200);
});

test.each([
  ["of another account", "{pod: {namespace: web, name: front-1}}"],
  ["of another namespace", "{pod: {namespace: pay, name: cart-0}}"],
])("a restriction of a Pod %s leaves certificates alone", async (_, target) => {
  const svid = await door.svidOf("web", "cart");
  door.world.pods.push(podOf("web", "front"));
  door.world.catalogue = catalogueOf(restricting(target));
  expect((await door.ask("/v1/svids", { ...svid, body: { csr: newCsr() } })).status).toBe(200);
});

test("a restriction of a node leaves certificates of machines alone", async () => {
  const svid = await door.svidOf("web", "cart");
  door.world.catalogue = catalogueOf(restricting("{node: {name: n0}}"));
  door.world.pods = door.world.pods.map((each) => ({ ...each, whereabouts: {} }));
  expect((await door.ask("/v1/svids", { ...svid, body: { csr: newCsr() } })).status).toBe(200);
});

test("a revoked serial is not renewed, and the same workload's token still is", async () => {
  const svid = await door.svidOf("web", "cart");
  door.world.catalogue = catalogueOf(`${SHOP_CATALOGUE}---
{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: r-1}, spec: {target: {serial: "${svid.serial}"}, effect: revoke, reason: It leaked.}}
`);
  expect((await door.ask("/v1/svids", { ...svid, body: { csr: newCsr() } })).status).toBe(403);
  expect((await door.ask("/v1/svids", { token: "cart-token", body: { csr: newCsr() } })).status).toBe(200);
});

test("what was renewed by a revoked certificate is refused as well, and what was renewed by that", async () => {
  const svid = await door.svidOf("web", "cart");
  const renewals = [svid];
  for (const last of [0, 1]) {
    const key = leafKey();
    const csr = toPem("CERTIFICATE REQUEST", csrOf(key));
    const answer = await door.ask("/v1/svids", { ...renewals[last], body: { csr } });
    const pem = key.export({ type: "pkcs8", format: "pem" }).toString();
    const cert = String(answer.body["certificates"]);
    renewals.push({ cert, leaf: cert, key: pem, serial: String(answer.body["serial"]) });
  }
  const other = await door.svidOf("web", "cart");
  door.world.catalogue = catalogueOf(restricting(`{serial: "${svid.serial}"}`));
  const statuses = [...renewals, other].map(
    async (shown) => (await door.ask("/v1/svids", { ...shown, body: { csr: newCsr() } })).status,
  );
  expect(await Promise.all(statuses)).toEqual([403, 403, 403, 200]);
});

test.each([
  ["of that Pod", "{pod: {namespace: web, name: cart-0, uid: old}}", 403],
  ["of that Pod's node", "{node: {name: n0}}", 403],
  ["of that Pod's machine", "{virtualMachine: {namespace: web, name: vm}}", 403],
  ["of another node", "{node: {name: n2}}", 200],
  ["of another Pod that has gone", "{pod: {namespace: web, name: cart-9}}", 200],
  ["of another Pod that holds the identity", "{pod: {namespace: web, name: cart-1}}", 200],
  ["of its role", "{role: cart}", 403],
])("where it is known to which Pod a certificate was issued, a restriction %s decides", async (_, target, status) => {
  const svid = await door.svidOf("web", "cart");
  const place = { pod: { namespace: "web", name: "cart-0", uid: "old" }, node: { name: "n0" } };
  door.world.issuedTo.set(svid.serial, { ...place, virtualMachine: { namespace: "web", name: "vm" } });
  door.world.catalogue = catalogueOf(restricting(target));
  expect((await door.ask("/v1/svids", { ...svid, body: { csr: newCsr() } })).status).toBe(status);
});

test("a renewal is for the Pod that its certificate was issued to, where that is known, and else for no Pod by its UID", async () => {
  const svid = await door.svidOf("web", "cart");
  await door.ask("/v1/svids", { ...svid, body: { csr: newCsr() } });
  door.world.issuedTo.set(svid.serial, { pod: { namespace: "web", name: "cart-0", uid: "old" }, node: { name: "n0" } });
  await door.ask("/v1/svids", { ...svid, body: { csr: newCsr() } });
  expect(
    door.ledger.map(({ subject, ...rest }) => [subject, "pod" in rest && rest.pod, "node" in rest && rest.node]),
  ).toEqual([
    ["Pod web/cart-1", false, false],
    ["Pod web/cart-0", "old", "n0"],
  ]);
});

test("where Pods of two roles hold one identity, a certificate does not say which one calls", async () => {
  const svid = await door.svidOf("web", "cart");
  door.world.catalogue = catalogueOf(
    SHOP_CATALOGUE.replace(
      "match: {serviceAccounts: [cart]}",
      "match: {serviceAccounts: [cart], podLabels: {matchLabels: {a: b}}}",
    ) +
      `---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: cart2}, spec: {segment: shop, match: {serviceAccounts: [cart], podLabels: {matchExpressions: [{key: a, operator: DoesNotExist}]}}}}
`,
  );
  const labelled = podOf("web", "cart", "cart-2");
  door.world.pods.push({ ...labelled, bearer: { ...labelled.bearer, labels: { a: "b" } } });
  expect(told(await door.ask("/v1/svids", { ...svid, body: { csr: newCsr() } }))).toBe(
    "403 ROLE_AMBIGUOUS Workloads of different roles hold this identity, and the certificate does not say which one calls.",
  );
  expect((await door.ask("/v1/svids", { token: "cart-token", body: { csr: newCsr() } })).status).toBe(200);
});

test.each<[string, object, number, string]>([
  ["no JSON", { text: "{" }, 400, "FIELD_INVALID"],
  ["a list", { text: "[]" }, 400, "FIELD_INVALID"],
  ["a field twice", { text: '{"csr":"a","csr":"b"}' }, 400, "FIELD_CONFLICT"],
  [
    "a field that nobody knows",
    { body: { csr: "a", spiffeId: "spiffe://example.org/ns/pay/sa/orders-db" } },
    400,
    "FIELD_UNKNOWN",
  ],
  ["no request", { body: {} }, 400, "FIELD_MISSING"],
  ["a request that is none", { body: { csr: "-----BEGIN CERTIFICATE REQUEST-----" } }, 400, "CSR_INVALID"],
  ["a lifetime in words", { body: { csr: "a", ttlSeconds: "1h" } }, 400, "FIELD_INVALID"],
  ["a lifetime of no time", { body: { csr: newCsr(), ttlSeconds: 1 } }, 403, "TTL_TOO_SHORT"],
  ["too much", { text: `{"csr":"${"a".repeat(20_000)}"}` }, 413, "FIELD_INVALID"],
  ["another type", { body: { csr: "a" }, type: "text/plain" }, 415, "FIELD_INVALID"],
])("a body with %s is refused", async (_, asking, status, code) => {
  const answer = await door.ask("/v1/svids", { token: "cart-token", ...asking });
  expect([answer.status, answer.body["code"]]).toEqual([status, code]);
});

test.each([["ѕhop"], ["a b"], [""], ["x".repeat(256)]])("%j is no audience", async (audience) => {
  expect(await door.ask("/v1/tokens", { token: "cart-token", body: { audience } })).toMatchObject({
    status: 400,
    body: { code: "FIELD_INVALID" },
  });
  expect(door.ledger).toMatchObject([{ outcome: "refused", code: "FIELD_INVALID" }]);
});

test("of audiences that are too many or too long, the ledger has no more than a token could name", async () => {
  const audience = Array.from({ length: 6 }, (_, index) => String(index).repeat(2_000));
  expect((await door.ask("/v1/tokens", { token: "cart-token", body: { audience } })).status).toBe(400);
  const audiences = ["0", "1", "2", "3"].map((each) => each.repeat(255));
  expect(door.ledger).toMatchObject([{ outcome: "refused", code: "FIELD_INVALID", audiences }]);
});

test.each(["/v1//svids", "//v1/svids", "/v1/svids/", "/V1/SVIDS", "/v1/../v1/svids", "/v1/svids%2f", "/v1/svids;x"])(
  "%s is no door",
  async (path) => {
    expect((await door.ask(path, { token: "cart-token", body: { csr: newCsr() } })).status).toBe(404);
  },
);

test("documents are for everybody; one that is not there says so", async () => {
  expect((await door.ask("/v1/bundle", { method: "GET" })).body).toEqual({ keys: [] });
  expect((await door.ask("/keys", { method: "GET" })).status).toBe(200);
  expect(told(await door.ask("/.well-known/openid-configuration", { method: "GET" }))).toBe(
    "503 NOT_READY There is no such document yet.",
  );
});
