import { randomBytes, X509Certificate } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { issue } from "../../src/ca/issue.ts";
import { generateKey, memoryKey } from "../../src/ca/keys/signing-key.ts";
import { signIssuing, signRoot } from "../../src/ca/new-authority.ts";
import { verifySvid } from "../../src/ca/verify-svid.ts";
import { readCertificate, bitsOf, extensionAt, namesOf } from "../../src/ca/read-certificate.ts";
import { parseSpiffeId } from "../../src/domain/spiffe-id.ts";
import { csrOf, leafKey, podRequest, PROFILES, spkiOf, testAuthority, walkParts } from "../fakes/ca.ts";
import { must, NOON } from "../fakes/judging.ts";
import { Extension, KeyUsageFlags, type LeafParts, peculiarLeaf } from "./odd-leaf.ts";

type Authority = Awaited<ReturnType<typeof testAuthority>>;
let authority: Authority;
let issued: readonly Buffer[];
const key = leafKey();
const WINDOW = { notBefore: NOON - 60_000, notAfter: NOON + 3_600_000 };
const anchors = () => ({ trustDomain: "example.org", roots: [authority.root.der] });

beforeAll(async () => {
  authority = await testAuthority();
  issued = must(await issue(podRequest(csrOf(key)), walkParts(authority.issuer).parts)).chain;
});

const leaf = () => readCertificate(issued[0] ?? Buffer.alloc(0));
const issuing = () => readCertificate(authority.issuing.der);
const usagesOf = (parts: ReturnType<typeof leaf>) => {
  const usage = extensionAt(parts, "keyUsage");
  return usage ? [usage.critical, ...bitsOf(usage.value)] : [];
};

test.each([
  ["I1", "https://example.org/a", false],
  ["I1", "spiffe://example.org/a?x=1", false],
  ["I1", "spiffe://example.org/a#x", false],
  ["I1", "spiffe://me@example.org/a", false],
  ["I1", "spiffe://example.org:8443/a", false],
  ["I2", "spiffe:///a", false],
  ["I2", "spiffe://Example.org/a", false],
  ["I2", "spiffe://ex%61mple.org/a", false],
  ["I2", `spiffe://${"a".repeat(255)}/a`, true],
  ["I2", `spiffe://${"a".repeat(256)}/a`, false],
  ["I2", "spiffe://10.0.0.1/a", true],
  ["I3", "spiffe://example.org/a//b", false],
  ["I3", "spiffe://example.org/a/", false],
  ["I3", "spiffe://example.org/./a", false],
  ["I3", "spiffe://example.org/../a", false],
  ["I3", "spiffe://example.org/%61", false],
  ["I3", "spiffe://example.org/ä", false],
  ["I3", "spiffe://example.org/A.z-9_", true],
  ["I4", `spiffe://example.org/${"a".repeat(2048 - 21)}`, true],
  ["I4", `spiffe://example.org/${"a".repeat(2048 - 20)}`, false],
])("%s: %s", (_, text, good) => {
  expect(parseSpiffeId(text, "").ok).toBe(good);
});

test("I5: there is one spelling of each identity, so that equal ones are equal letter for letter", () => {
  const spellings = ["spiffe://example.org/ns/A", "spiffe://example.org/ns/a", "SPIFFE://example.org/ns/A"];
  expect(spellings.flatMap((each) => (parseSpiffeId(each, "").ok ? [each] : []))).toEqual(spellings.slice(0, 2));
});

test("I6: an authority names its trust domain without a path", () => {
  for (const { der } of [authority.root, authority.issuing])
    expect(new X509Certificate(der).subjectAltName).toBe("URI:spiffe://example.org");
});

test("X1 and X2: a leaf has exactly one URI, with a path", () => {
  const names = extensionAt(leaf(), "subjectAltName");
  expect(names && namesOf(names.value)).toEqual(["dns:cart.web.svc", "uri:spiffe://example.org/ns/web/sa/cart"]);
});

test("X3: the subject is empty, and the alternative name critical", () => {
  expect([leaf().subject.contents.length, extensionAt(leaf(), "subjectAltName")?.critical]).toEqual([0, true]);
});

test("X4: a leaf is no authority, and its critical key usage is digitalSignature alone", () => {
  expect([extensionAt(leaf(), "basicConstraints")?.value.contents.length, ...usagesOf(leaf())]).toEqual([0, true, 0]);
});

test("X5: a leaf serves and calls", () => {
  expect(new X509Certificate(issued[0] ?? "").keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
});

test("X6: an authority signs certificates and lists, and authenticates nobody", () => {
  expect([usagesOf(issuing()), new X509Certificate(authority.issuing.der).ca]).toEqual([[true, 5, 6], true]);
});

test("X7: the issuing authority may sign for its trust domain alone, and makes no authorities", () => {
  const constraint = extensionAt(issuing(), "nameConstraints");
  expect([constraint?.critical, constraint?.value.contents.toString("latin1").includes("example.org")]).toEqual([
    true,
    true,
  ]);
  expect(extensionAt(issuing(), "basicConstraints")?.value.contents.at(-1)).toBe(0);
});

test("X8: a chain to the trust domain's root proves the identity", async () => {
  const verified = must(await verifySvid(issued, anchors(), NOON));
  expect([verified.spiffeId.id, verified.spki.equals(spkiOf(key))]).toEqual([
    "spiffe://example.org/ns/web/sa/cart",
    true,
  ]);
});

test("X8: it is proved for as long as every certificate holds that proves it, the root too", async () => {
  const making = { trustDomain: "example.org", profiles: PROFILES, now: NOON, random: randomBytes };
  const brief = { ...PROFILES, root: { ...PROFILES.root, lifetimeSeconds: 86_400 } };
  const [rootKey, issuingKey] = [memoryKey(generateKey("ECDSAP256")), generateKey("ECDSAP256")];
  const root = { certificate: await signRoot(making, rootKey), key: rootKey };
  const below = await signIssuing(making, memoryKey(issuingKey), root);
  const short = await signRoot({ ...making, profiles: brief }, rootKey);
  const window = { notBefore: NOON - 60_000, notAfter: NOON + 2 * 86_400_000 };
  const leaf = await peculiarLeaf({ key: issuingKey, issuing: below }, spkiOf(key), { window });
  const holds = async ({ der }: typeof short) =>
    must(await verifySvid([leaf, below.der], { trustDomain: "example.org", roots: [der] }, NOON)).window;
  expect(await holds(root.certificate)).toEqual(window);
  expect(await holds(short)).toEqual({ ...window, notAfter: short.window.notAfter });
});

const uri = (value: string) => ({ type: "url" as const, value });

test.each<[string, Partial<LeafParts>, string]>([
  [
    "X1 two URIs",
    { names: [uri("spiffe://example.org/a"), uri("spiffe://example.org/b")] },
    "a leaf has exactly one URI, and this one has 2 (X509-SVID §2)",
  ],
  [
    "X1 no URI",
    { names: [{ type: "dns", value: "a.b" }] },
    "a leaf has exactly one URI, and this one has 0 (X509-SVID §2)",
  ],
  [
    "X2 no path",
    { names: [uri("spiffe://example.org")] },
    "its URI is not the SPIFFE ID of a workload (SPIFFE-ID §2, X509-SVID §2)",
  ],
  [
    "X3 an empty subject and names that are not critical",
    { criticalNames: false },
    "an empty subject needs a critical subject alternative name (RFC 5280 §4.2.1.6)",
  ],
  ["X4 an authority as leaf", { authority: true }, "a leaf is no authority (X509-SVID §4.1)"],
  ["X4 key usage not critical", { criticalUsage: false }, "a leaf has a critical key usage (X509-SVID §4.3)"],
  [
    "X4 no digitalSignature",
    { usage: KeyUsageFlags.keyAgreement },
    "a leaf's key makes digital signatures (X509-SVID §4.3)",
  ],
  [
    "X4 keyCertSign",
    { usage: KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign },
    "a leaf's key signs neither certificates nor lists (X509-SVID §4.3)",
  ],
  [
    "X8 another scheme",
    { names: [uri("https://example.org/a")] },
    "its URI is not the SPIFFE ID of a workload (SPIFFE-ID §2, X509-SVID §2)",
  ],
  [
    "X8 another trust domain",
    { names: [uri("spiffe://other.org/a")] },
    "spiffe://other.org/a is not of trust domain example.org",
  ],
  [
    "X8 over",
    { window: { notBefore: NOON - 7_200_000, notAfter: NOON - 3_600_000 } },
    "certificate 4a4a holds from 2026-11-23T10:00:00Z to 2026-11-23T11:00:00Z",
  ],
  [
    "X8 an unknown critical extension",
    { extra: [new Extension("1.2.3.4", true, Buffer.from([5, 0]))] },
    "it has a critical extension that is not known here",
  ],
])("such a leaf proves nothing: %s", async (_, parts, why) => {
  const odd = await peculiarLeaf(authority, spkiOf(key), { window: WINDOW, ...parts });
  const result = await verifySvid([odd, authority.issuing.der], anchors(), NOON);
  expect(result.ok ? "proves" : result.problems.map(({ message }) => message)).toEqual([
    `The certificate proves no identity: ${why}.`,
  ]);
});

const provesNothing = async (chain: readonly Buffer[], roots: readonly Buffer[], why: string): Promise<void> => {
  const result = await verifySvid(chain, { trustDomain: "example.org", roots }, NOON);
  expect(result.ok ? "proves" : result.problems[0]?.message).toBe(`The certificate proves no identity: ${why}.`);
};

test("X8: a chain proves nothing without its issuer, under another root, or with a leaf as issuer", async () => {
  const [own = Buffer.alloc(0)] = issued;
  const other = await testAuthority();
  await provesNothing([own], [authority.root.der], "its chain ends at no root of the trust domain");
  await provesNothing(issued, [other.root.der], "its chain ends at no root of the trust domain");
  const forged = await peculiarLeaf({ key, issuing: { ...authority.issuing, der: own } }, spkiOf(key), {
    window: WINDOW,
  });
  const chain = [forged, ...issued];
  await provesNothing(chain, [authority.root.der], "an issuer is no authority (X509-SVID §3.2)");
});

test("X8: an issuer cannot sign for another trust domain than its own, whatever the roots are", async () => {
  const foreign = await peculiarLeaf(authority, spkiOf(key), { window: WINDOW, names: [uri("spiffe://other.org/a")] });
  const result = await verifySvid(
    [foreign, authority.issuing.der],
    { trustDomain: "other.org", roots: [authority.root.der] },
    NOON,
  );
  expect(result.ok ? "proves" : result.problems[0]?.message).toBe(
    "The certificate proves no identity: its trust domain is not one that an issuer may sign for (RFC 5280 §4.2.1.10).",
  );
});
