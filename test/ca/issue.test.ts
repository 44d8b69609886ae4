import { X509Certificate } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { issue, type IssueParts, type IssueRequest } from "../../src/ca/issue.ts";
import { formatInstant } from "../../src/domain/instant.ts";
import { csrOf, leafKey, podRequest, SHOP_CATALOGUE, testAuthority, walkParts } from "../fakes/ca.ts";
import { catalogueOf, must, NOON } from "../fakes/judging.ts";

type Authority = Awaited<ReturnType<typeof testAuthority>>;
let authority: Authority;
const key = leafKey();
const csr = csrOf(key);

beforeAll(async () => {
  authority = await testAuthority();
});

const refusal = async (request: IssueRequest, parts: IssueParts): Promise<readonly string[]> => {
  const result = await issue(request, parts);
  return result.ok ? ["issued"] : result.problems.map(({ code, message }) => `${code} ${message}`);
};

test("a Pod whose account a role names gets a certificate for its identity, and the ledger has it", async () => {
  const { parts, ledger } = walkParts(authority.issuer);
  const { der, contents, chain } = must(await issue(podRequest(csr), parts));
  const leaf = new X509Certificate(der);
  const issuing = new X509Certificate(chain[1] ?? "");
  expect([leaf.subjectAltName, leaf.subject, leaf.ca]).toEqual([
    "DNS:cart.web.svc, URI:spiffe://example.org/ns/web/sa/cart",
    undefined,
    false,
  ]);
  expect([leaf.verify(issuing.publicKey), issuing.verify(new X509Certificate(authority.root.der).publicKey)]).toEqual([
    true,
    true,
  ]);
  expect(ledger).toEqual([
    {
      at: NOON,
      door: "rest",
      caller: "system:serviceaccount:web:cart",
      subject: "Pod web/p",
      pod: "u-1",
      node: "n1",
      revision: parts.lookup().catalogue.revision,
      outcome: "issued",
      serial: leaf.serialNumber.toLowerCase(),
      spiffeId: "spiffe://example.org/ns/web/sa/cart",
      role: "cart",
      segment: "shop",
      keyType: "ECDSAP256",
      notBefore: NOON - 120_000,
      notAfter: NOON - 120_000 + 4 * 3_600_000,
      authority: authority.issuing.keyId,
      sha256: leaf.fingerprint256.replaceAll(":", "").toLowerCase(),
    },
  ]);
  expect([Date.parse(leaf.validFrom), Date.parse(leaf.validTo)]).toEqual([
    contents.window.notBefore,
    contents.window.notAfter,
  ]);
});

test.each<[string, Partial<IssueRequest>, string, string, number]>([
  ["a trust domain that says nothing gives four hours", {}, "web", "cart", 4 * 3600],
  ["a classified segment gives one hour", {}, "pay", "orders-db", 3600],
  ["whoever asks for less gets less", { ttlSeconds: 1800 }, "web", "cart", 1800],
  ["whoever asks for more gets what is allowed", { ttlSeconds: 86_400 }, "pay", "orders-db", 3600],
])("%s", async (_, more, namespace, account, seconds) => {
  const { parts } = walkParts(authority.issuer);
  const { window } = must(await issue(podRequest(csr, namespace, account, more), parts)).contents;
  expect((window.notAfter - window.notBefore) / 1000).toBe(seconds);
});

test("a leaf never outlives its issuer, and an issuer that ends too soon signs nothing", async () => {
  const end = authority.issuing.window.notAfter;
  const late = walkParts(authority.issuer, { now: () => end - 3_600_000 });
  expect(must(await issue(podRequest(csr), late.parts)).contents.window.notAfter).toBe(end);
  const over = walkParts(authority.issuer, { now: () => end - 60_000 });
  expect(await refusal(podRequest(csr), over.parts)).toEqual([
    `AUTHORITY_UNAVAILABLE Authority ${authority.issuing.keyId.slice(0, 16)} holds from ${formatInstant(authority.issuing.window.notBefore)} to ${formatInstant(end)}: too short for a certificate now.`,
  ]);
});

const restricted = (target: string) =>
  catalogueOf(
    `${SHOP_CATALOGUE}---\n{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q-1}, spec: {target: ${target}, effect: revoke, reason: key seen in a log}}`,
  );

test.each([
  ["another account has no role", "web", "nobody", {}, "ROLE_NONE No role fits account web/nobody."],
  [
    "a key of another type than was asked for",
    "web",
    "cart",
    { keyType: "RSA3072" as const },
    "KEY_TYPE_REFUSED The key is of type ECDSAP256, and RSA3072 was asked for.",
  ],
  [
    "a lifetime that is too short to renew in",
    "web",
    "cart",
    { ttlSeconds: 60 },
    "TTL_TOO_SHORT A lifetime of 60 s is shorter than profile workload allows, 300 s.",
  ],
])("it is refused, and the ledger says so: %s", async (_, namespace, account, more, sentence) => {
  const { parts, ledger } = walkParts(authority.issuer);
  expect(await refusal(podRequest(csr, namespace, account, more), parts)).toEqual([sentence]);
  expect(ledger.map((line) => (line.outcome === "refused" ? `${line.code} ${line.message}` : "issued"))).toEqual([
    sentence,
  ]);
});

test.each([
  ["its identity", "{identity: 'spiffe://example.org/ns/web/sa/cart'}"],
  ["its role", "{role: cart}"],
  ["its segment", "{segment: shop}"],
  ["its Pod", "{pod: {namespace: web, name: p, uid: u-1}}"],
  ["its node", "{node: {name: n1}}"],
])("a restriction on %s stops issuing", async (_, target) => {
  const { parts } = walkParts(authority.issuer, { catalogue: restricted(target) });
  expect(await refusal(podRequest(csr), parts)).toEqual([
    "IDENTITY_RESTRICTED Restriction q-1 (revoke) stands against it: key seen in a log",
  ]);
});

test.each([
  ["another Pod of that name", "{pod: {namespace: web, name: p, uid: u-2}}"],
  ["another node", "{node: {name: n2}}"],
  ["another segment", "{segment: payments}"],
])("a restriction on %s does not", async (_, target) => {
  const { parts } = walkParts(authority.issuer, { catalogue: restricted(target) });
  expect(await refusal(podRequest(csr), parts)).toEqual(["issued"]);
});

test("nothing leaves that the ledger does not hold", async () => {
  const { parts } = walkParts(authority.issuer, { record: () => Promise.reject(new Error("disk full")) });
  expect(await refusal(podRequest(csr), parts)).toEqual([
    "LEDGER_UNAVAILABLE The ledger cannot be written, so no certificate is issued.",
  ]);
});

test("without an active authority nothing is issued", async () => {
  const { parts } = walkParts(undefined);
  expect(await refusal(podRequest(csr), parts)).toEqual(["AUTHORITY_UNAVAILABLE There is no active authority."]);
});

test("where its role says so, the subject names the account of a certificate", async () => {
  const { parts } = walkParts(authority.issuer);
  const { der } = must(await issue(podRequest(csr, "pay", "orders-db"), parts));
  const leaf = new X509Certificate(der);
  expect([leaf.subject, leaf.subjectAltName]).toEqual([
    "CN=orders-db.pay",
    "URI:spiffe://example.org/ns/pay/sa/orders-db",
  ]);
});

test("an account whose name is too long for a subject gets no certificate that names it", async () => {
  const account = "a".repeat(61);
  const catalogue = catalogueOf(SHOP_CATALOGUE.replace("[orders-db]", `[${account}]`));
  const { parts } = walkParts(authority.issuer, { catalogue });
  expect(await refusal(podRequest(csr, "pay", account), parts)).toEqual([
    `CERTIFICATE_UNLAWFUL This certificate may not be: "${account}.pay" is not the account's name, or longer than 64 characters.`,
  ]);
});

test("a request in PEM is read too, and its subject has no say", async () => {
  const asked = csrOf(key, "ECDSAP256", { commonName: "admin" });
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${asked.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
  const { parts } = walkParts(authority.issuer);
  expect(new X509Certificate(must(await issue(podRequest(pem), parts)).der).subject).toBeUndefined();
});
