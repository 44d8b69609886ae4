import { beforeAll, expect, test } from "vitest";
import { Issuer } from "../../src/ca/issuer.ts";
import { recheck } from "../../src/ca/recheck.ts";
import { algorithmOf } from "../../src/ca/der/algorithms.ts";
import { verifierOf } from "../../src/ca/keys/own-signatures.ts";
import { memoryKey } from "../../src/ca/keys/signing-key.ts";
import type { SpiffeId } from "../../src/domain/spiffe-id.ts";
import { readLeafKey } from "../../src/identity/leaf-key.ts";
import { type SvidContents, SvidPlan } from "../../src/identity/svid-plan.ts";
import { leafKey, PROFILES, spkiOf, testAuthority } from "../fakes/ca.ts";
import { must, NOON } from "../fakes/judging.ts";

const key = must(readLeafKey(spkiOf(leafKey()), ""));
let authority: Awaited<ReturnType<typeof testAuthority>>;
let der: Buffer;
let contents: SvidContents;

const ENTITLED = {
  spiffeId: "spiffe://example.org/ns/web/sa/cart" as SpiffeId,
  trustDomain: "example.org",
  dnsNames: ["cart.web.svc"],
  maxTtlSeconds: 3600,
};
const particulars = () => ({
  serial: "4a4a",
  issuer: authority.issuing,
  window: { notBefore: NOON, notAfter: NOON + 3_600_000 },
});
const planOf = () => must(SvidPlan.for(PROFILES.leaf, ENTITLED, key, particulars()));

beforeAll(async () => {
  authority = await testAuthority();
  ({ der, contents } = await authority.issuer.sign(planOf()));
});

const signatory = () => ({
  algorithm: algorithmOf("ECDSAP256"),
  verify: verifierOf(memoryKey(authority.key)),
});

test("a certificate that is as planned has no differences", async () => {
  expect(await recheck(der, contents, signatory())).toEqual([]);
});

test.each<[string, (was: SvidContents) => Partial<SvidContents>, string]>([
  ["its number", () => ({ serial: "4a4b" }), "serial"],
  ["its identity", () => ({ spiffeId: "spiffe://example.org/ns/web/sa/other" as SpiffeId }), "subjectAltName"],
  ["a DNS name more", () => ({ dnsNames: ["cart.web.svc", "b.web.svc"] }), "subjectAltName"],
  ["a DNS name less", () => ({ dnsNames: [] }), "subjectAltName"],
  ["a common name", () => ({ commonName: "cart.web" }), "subject"],
  ["its beginning", (was) => ({ window: { ...was.window, notBefore: NOON - 1000 } }), "notBefore"],
  ["its end", (was) => ({ window: { ...was.window, notAfter: NOON + 1000 } }), "notAfter"],
  ["a usage", (was) => ({ profile: { ...was.profile, keyUsage: ["digitalSignature", "cRLSign"] } }), "keyUsage"],
  ["a purpose", (was) => ({ profile: { ...was.profile, extendedKeyUsage: ["clientAuth"] } }), "extendedKeyUsage"],
  ["its issuer's key", (was) => ({ issuer: { ...was.issuer, keyId: "00" } }), "authorityKeyIdentifier"],
  ["its issuer's name", (was) => ({ issuer: { ...was.issuer, subject: Buffer.from([0x30, 0]) } }), "issuer"],
])("a certificate that differs from its plan in %s is found out", async (_, change, part) => {
  expect(await recheck(der, { ...contents, ...change(contents) }, signatory())).toEqual([part]);
});

test("a certificate with another key, another signature, or a cut end is found out", async () => {
  const other = must(readLeafKey(spkiOf(leafKey()), ""));
  expect(await recheck(der, { ...contents, key: other }, signatory())).toEqual(["key", "subjectKeyIdentifier"]);
  const stranger = { ...signatory(), verify: verifierOf(memoryKey(leafKey())) };
  expect(await recheck(der, contents, stranger)).toEqual(["signature"]);
  expect(await recheck(der.subarray(0, -1), contents, signatory())).toEqual(["form: it ends within a value"]);
});

test("an authority whose key does not fit its certificate signs nothing that leaves", async () => {
  const broken = new Issuer(authority.issuing, { ...memoryKey(authority.key), sign: () => Buffer.from([0x30, 0]) });
  await expect(broken.sign(planOf())).rejects.toThrow("certificate 4a4a is not as planned: signature");
});

test("a plan is signed once, and by the authority that it is for", async () => {
  const plan = planOf();
  await authority.issuer.sign(plan);
  await expect(authority.issuer.sign(plan)).rejects.toThrow("the plan of certificate 4a4a was signed before");
  const other = await testAuthority();
  await expect(other.issuer.sign(planOf())).rejects.toThrow(/^the plan is for authority /);
});
