import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { lengthField } from "../../../src/http/grpc/protobuf.ts";
import { SHOP_CATALOGUE } from "../../fakes/ca.ts";
import { catalogueOf, NOON } from "../../fakes/judging.ts";
import { newCsr, openDoor, podOf } from "./door.ts";
import { call, certificateRequest, framed, type GrpcAsking } from "./grpc-call.ts";

const CART = "spiffe://example.org/ns/web/sa/cart";
const DB = "spiffe://example.org/ns/pay/sa/orders-db";
let door: Awaited<ReturnType<typeof openDoor>>;

beforeAll(async () => {
  door = await openDoor({ credential: { burst: 1000, perSecond: 1000 }, failures: { burst: 1000, perSecond: 1000 } });
});
afterAll(() => door.stop());
beforeEach(() => {
  door.ledger.length = 0;
  door.world.catalogue = catalogueOf(SHOP_CATALOGUE);
  door.world.pods = [podOf("web", "cart"), podOf("pay", "orders-db")];
  door.world.tokens = new Map([
    ["cart-token", podOf("web", "cart")],
    ["proxy-token", podOf("istio-system", "ztunnel")],
  ]);
});

const ask = (asking: GrpcAsking) => call(door.grpcPort, { body: framed(certificateRequest(newCsr())), ...asking });
const namesOf = (pem = "") => new X509Certificate(pem).subjectAltName;
const told = async (asking: GrpcAsking): Promise<string> => {
  const { status, reason, message } = await ask(asking);
  return `${status} ${reason} ${message}`;
};

test("a token brings a chain, leaf first and root last, and the ledger had it first", async () => {
  const body = framed(certificateRequest(newCsr(), 3600));
  const { status, certificates } = await ask({ token: "cart-token", body });
  const [leaf, issuing, root] = certificates.map((pem) => new X509Certificate(pem));
  expect([status, certificates.length, namesOf(certificates[0])]).toEqual([0, 3, `DNS:cart.web.svc, URI:${CART}`]);
  expect([issuing && leaf?.checkIssued(issuing), root && issuing?.checkIssued(root)]).toEqual([true, true]);
  expect(door.ledger).toMatchObject([
    { door: "grpc", outcome: "issued", subject: "Pod web/cart-1", notAfter: NOON + 3_480_000 },
  ]);
});

test("a current SVID brings the next one", async () => {
  const svid = await door.svidOf("web", "cart");
  const { status, certificates } = await ask({ cert: svid.cert, key: svid.key });
  expect([status, namesOf(certificates[0])]).toEqual([0, `DNS:cart.web.svc, URI:${CART}`]);
});

test("a node proxy gets the identity of a Pod of its own node, and the ledger says who asked for whom", async () => {
  const body = framed(certificateRequest(newCsr(), undefined, CART));
  const { status, certificates } = await ask({ token: "proxy-token", body });
  expect([status, namesOf(certificates[0])]).toEqual([0, `DNS:cart.web.svc, URI:${CART}`]);
  expect(door.ledger).toMatchObject([
    {
      door: "grpc",
      caller: "system:serviceaccount:istio-system:ztunnel on node n1",
      subject: "Pod web/cart-1",
      node: "n1",
    },
  ]);
});

const impersonating = (identity: string, token = "proxy-token"): GrpcAsking => ({
  token,
  body: framed(certificateRequest(newCsr(), undefined, identity)),
});
const notYours = (identity: string): string =>
  `7 IMPERSONATION_REFUSED ${identity} is not the caller's own identity, nor that of a Pod which it may speak for.`;

test.each([
  ["of a Pod of another node", impersonating(DB), DB],
  ["of nobody", impersonating("spiffe://example.org/ns/web/sa/nobody"), "spiffe://example.org/ns/web/sa/nobody"],
  [
    "of another trust domain",
    impersonating("spiffe://example.net/ns/web/sa/cart"),
    "spiffe://example.net/ns/web/sa/cart",
  ],
  ["that is no SPIFFE ID", impersonating("cart"), "cart"],
  ["whose name is cut within a character", impersonating(`${"a".repeat(199)}😀`), `${"a".repeat(199)}\uFFFD`],
  ["for a caller that is no node proxy", impersonating(DB, "cart-token"), DB],
])("an identity %s is not given", async (_, asking, identity) => {
  door.world.pods = door.world.pods.map((each) =>
    each.subject.startsWith("Pod pay/")
      ? { ...each, whereabouts: { ...each.whereabouts, node: { name: "n2" } } }
      : each,
  );
  expect(await told(asking)).toBe(notYours(identity));
  expect(door.ledger).toEqual([]);
});

test("whoever asks for its own identity by name gets it", async () => {
  expect((await ask(impersonating(CART, "cart-token"))).status).toBe(0);
});

test.each([
  ["without a name", undefined],
  ["for its own by name", CART],
])("whoever shows a certificate and asks %s gets one of the same line", async (_, identity) => {
  const { cert, key, serial } = await door.svidOf("web", "cart");
  const { certificates } = await ask({ cert, key, body: framed(certificateRequest(newCsr(), undefined, identity)) });
  const next = new X509Certificate(certificates[0] ?? "").serialNumber.toLowerCase();
  expect([next.slice(0, 16), next === serial]).toEqual([serial.slice(0, 16), false]);
});

test("a node proxy that shows a certificate speaks for nobody, though it is known to which Pod it was issued", async () => {
  door.world.catalogue = catalogueOf(`${SHOP_CATALOGUE}---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: mesh}, spec: {namespaces: [istio-system], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: proxy}, spec: {segment: mesh, match: {serviceAccounts: [ztunnel]}}}
`);
  const proxy = podOf("istio-system", "ztunnel");
  door.world.pods = [...door.world.pods, proxy];
  const { cert, key, serial } = await door.svidOf("istio-system", "ztunnel");
  door.world.issuedTo = new Map([[serial, proxy.whereabouts]]);
  const { token: _, ...asking } = impersonating(CART);
  expect([await told({ ...asking, cert, key }), await told(impersonating(CART))]).toEqual([notYours(CART), "0  "]);
});

test.each([
  ["its Pod", "{pod: {namespace: istio-system, name: ztunnel-1}}"],
  ["its node", "{node: {name: n1}}"],
  ["its identity", "{identity: spiffe://example.org/ns/istio-system/sa/ztunnel}"],
])("a node proxy gets nothing for others while a restriction names %s", async (_, target) => {
  door.world.catalogue = catalogueOf(`${SHOP_CATALOGUE}---
{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q-1}, spec: {target: ${target}, effect: quarantine, reason: Taken.}}
`);
  expect(await told(impersonating(CART))).toBe(
    "7 IDENTITY_RESTRICTED Restriction q-1 (quarantine) stands against it: Taken.",
  );
});

test("a restriction of a Pod of the node stops its proxy too", async () => {
  door.world.catalogue = catalogueOf(`${SHOP_CATALOGUE}---
{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q-1}, spec: {target: {pod: {namespace: web, name: cart-1}}, effect: quarantine, reason: Taken.}}
`);
  expect(await told(impersonating(CART))).toBe(
    "7 IDENTITY_RESTRICTED Restriction q-1 (quarantine) stands against it: Taken.",
  );
});

const CSR = newCsr();
test.each<[string, GrpcAsking, string]>([
  ["no credential", {}, "16 CALLER_UNKNOWN The caller has shown neither a token nor a certificate."],
  ["a token of nobody", { token: "stolen" }, "16 TOKEN_REFUSED The API server does not accept this token for us."],
  ["another method", { path: "/grpc.health.v1.Health/Check" }, "12  There is no method /grpc.health.v1.Health/Check."],
  [
    "a compressed message",
    { token: "cart-token", body: framed(certificateRequest(CSR), 1) },
    "3 FIELD_INVALID The body is not one message without compression.",
  ],
  [
    "two messages",
    { token: "cart-token", body: Buffer.concat([framed(Buffer.of()), framed(Buffer.of())]) },
    "3 FIELD_INVALID The body is not one message without compression.",
  ],
  [
    "no message",
    { token: "cart-token", body: Buffer.of() },
    "3 FIELD_INVALID The body is not one message without compression.",
  ],
  ["no request in it", { token: "cart-token", body: framed(Buffer.of()) }, "3 FIELD_MISSING The field csr is missing."],
  [
    "two requests in it",
    { token: "cart-token", body: framed(Buffer.concat([certificateRequest(CSR), lengthField(1, CSR)])) },
    "3 FIELD_INVALID The message is no IstioCertificateRequest: field 1 comes twice.",
  ],
  [
    "two identities",
    {
      token: "proxy-token",
      body: framed(Buffer.concat([certificateRequest(CSR, 0, CART), certificateRequest("", 0, DB).subarray(2)])),
    },
    "3 FIELD_INVALID The message is no IstioCertificateRequest: field 4 comes twice.",
  ],
  [
    "a lifetime below nothing",
    {
      token: "cart-token",
      body: framed(Buffer.concat([lengthField(1, CSR), Buffer.from("18ffffffffffffffffff01", "hex")])),
    },
    "3 FIELD_INVALID The message is no IstioCertificateRequest: the lifetime is no number of seconds.",
  ],
  [
    "a lifetime that is too short",
    { token: "cart-token", body: framed(certificateRequest(CSR, 1)) },
    "7 TTL_TOO_SHORT A lifetime of 1 s is shorter than profile workload allows, 300 s.",
  ],
  [
    "no PKCS#10",
    { token: "cart-token", body: framed(certificateRequest("x")) },
    "3 CSR_INVALID The certificate request cannot be accepted: it is not one PEM block of type CERTIFICATE REQUEST.",
  ],
  [
    "too much",
    { token: "cart-token", body: Buffer.alloc(20_000) },
    "8 INPUT_TOO_LARGE The body has more than 16384 bytes.",
  ],
])("a call with %s is refused", async (_, asking, sentence) => {
  expect(await told(asking)).toBe(sentence);
});

test("what is no gRPC is told so in HTTP, and HTTP/1.1 is not spoken", async () => {
  expect(await ask({ token: "cart-token", type: "application/json" })).toMatchObject({ http: 415, status: -1 });
  const ended = await new Promise<string>((resolve) => {
    const socket = connect({
      port: door.grpcPort,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
    });
    socket.on("error", (fault) => resolve(fault.message)).on("close", () => resolve("closed"));
  });
  expect(ended).toMatch(/no application protocol|closed/i);
});

test("a fault of ours is told in no detail, and the log has it", async () => {
  door.world.failing = true;
  const answer = await told({ token: "cart-token" });
  door.world.failing = false;
  expect([answer, door.said.length]).toEqual(["13 INTERNAL The request could not be answered.", 1]);
});
