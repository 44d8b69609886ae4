import { expect, test } from "vitest";
import type { IssuerFacts } from "../../src/domain/certificate.ts";
import type { SpiffeId } from "../../src/domain/spiffe-id.ts";
import { readLeafKey } from "../../src/identity/leaf-key.ts";
import { type Entitled, type Particulars, SvidPlan } from "../../src/identity/svid-plan.ts";
import { leafKey, PROFILES, spkiOf } from "../fakes/ca.ts";
import { must, NOON } from "../fakes/judging.ts";

const key = must(readLeafKey(spkiOf(leafKey()), ""));
const issuer: IssuerFacts = {
  keyId: "aa",
  subject: Buffer.from([0x30, 0]),
  trustDomain: "example.org",
  window: { notBefore: NOON - 3_600_000, notAfter: NOON + 86_400_000 },
};
const PARTICULARS: Particulars = { serial: "4a4a", issuer, window: { notBefore: NOON, notAfter: NOON + 3_600_000 } };
const ENTITLED: Entitled = {
  spiffeId: "spiffe://example.org/ns/web/sa/cart" as SpiffeId,
  trustDomain: "example.org",
  dnsNames: ["cart.web.svc"],
  maxTtlSeconds: 3600,
};

test("a plan that keeps every rule can be looked at before it is signed", () => {
  const plan = must(SvidPlan.for(PROFILES.leaf, ENTITLED, key, PARTICULARS));
  expect([plan.contents.spiffeId, plan.contents.serial]).toEqual(["spiffe://example.org/ns/web/sa/cart", "4a4a"]);
  expect(Object.isFrozen(plan.contents)).toBe(true);
});

const window = (from: number, to: number) => ({ window: { notBefore: NOON + from, notAfter: NOON + to } });

test.each<[string, Partial<Particulars>, Partial<Entitled>, string]>([
  ["a number that is negative", { serial: "8a" }, {}, '"8a" is no serial number of 1 to 20 octets'],
  [
    "a number of 21 octets",
    { serial: "4a".repeat(21) },
    {},
    `"${"4a".repeat(21)}" is no serial number of 1 to 20 octets`,
  ],
  ["a number with leading zeroes", { serial: "004a" }, {}, '"004a" is no serial number of 1 to 20 octets'],
  ["a window in fractions of seconds", window(1, 3_600_000), {}, "it does not hold for a number of whole seconds"],
  ["an end beyond its issuer's", window(85_000_000, 86_401_000), {}, "it would hold when its issuer does not"],
  ["a beginning before its issuer's", window(-3_601_000, -1000), {}, "it would hold when its issuer does not"],
  [
    "a lifetime longer than the role's",
    window(0, 3_601_000),
    {},
    "its lifetime of 3601 s is not one of profile workload and its role",
  ],
  [
    "a lifetime shorter than the profile's",
    window(0, 299_000),
    {},
    "its lifetime of 299 s is not one of profile workload and its role",
  ],
  [
    "another trust domain than its issuer's",
    {},
    { trustDomain: "other.org", spiffeId: "spiffe://other.org/ns/a/sa/b" as SpiffeId },
    "spiffe://other.org/ns/a/sa/b is not of the issuer's trust domain example.org",
  ],
  [
    "an identity whose trust domain only begins like it",
    {},
    { spiffeId: "spiffe://example.org.evil/ns/a/sa/b" as SpiffeId },
    "spiffe://example.org.evil/ns/a/sa/b is not of the issuer's trust domain example.org",
  ],
  ["a DNS name in capitals", {}, { dnsNames: ["A.b"] }, '"A.b" is no DNS name, or stands twice'],
  ["a DNS name twice", {}, { dnsNames: ["a.b", "a.b"] }, '"a.b" is no DNS name, or stands twice'],
  ["a DNS name with a slash", {}, { dnsNames: ["a/b"] }, '"a/b" is no DNS name, or stands twice'],
])("it cannot be planned: %s", (_, particulars, entitled, why) => {
  const plan = SvidPlan.for(PROFILES.leaf, { ...ENTITLED, ...entitled }, key, { ...PARTICULARS, ...particulars });
  expect(plan.ok ? [] : plan.problems.map(({ code, message }) => `${code} ${message}`)).toContain(
    `CERTIFICATE_UNLAWFUL This certificate may not be: ${why}.`,
  );
});

test("a key that the profile has not cannot be planned", () => {
  const profile = { ...PROFILES.leaf, keyTypes: ["ED25519"] as const };
  const plan = SvidPlan.for(profile, ENTITLED, key, PARTICULARS);
  expect(plan.ok ? [] : plan.problems.map(({ message }) => message)).toEqual([
    "This certificate may not be: profile workload has no key of type ECDSAP256.",
  ]);
});

test("neither a literal nor a copy is a plan", () => {
  const plan = must(SvidPlan.for(PROFILES.leaf, ENTITLED, key, PARTICULARS));
  const { contents } = plan;
  // @ts-expect-error a literal lacks the private field
  const literal: SvidPlan = { contents, redeem: () => contents };
  // @ts-expect-error the constructor is private
  const make = () => new SvidPlan(contents);
  expect([literal instanceof SvidPlan, typeof make]).toEqual([false, "function"]);
});
