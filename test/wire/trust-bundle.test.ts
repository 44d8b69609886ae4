import * as fc from "fast-check";
import { expect, test } from "vitest";
import { renderDiscovery } from "../../src/wire/openid.ts";
import { readStrictJson } from "../../src/wire/strict-json.ts";
import { readTrustBundle, renderKeySet, renderTrustBundle, type TrustBundle } from "../../src/wire/trust-bundle.ts";
import { must } from "../fakes/judging.ts";

const EC = { kty: "EC", crv: "P-256", x: "eA", y: "eQ" };
const RSA = { kty: "RSA", n: "bg", e: "AQAB" };
const BUNDLE: TrustBundle = {
  x509: [
    { key: EC, certificate: "MIIA" },
    { key: RSA, certificate: "MIIB" },
  ],
  jwt: [{ ...EC, kid: "k1" }],
  sequence: 7,
  refreshHint: 300,
};
const read = (value: unknown) => readTrustBundle(JSON.stringify(value));
const refusal = (text: string) => {
  const found = readTrustBundle(text);
  return found.ok ? [] : found.problems.map(({ code, path, message }) => `${code} ${path}: ${message}`);
};

test("a bundle is read as it was written", () => {
  expect(must(readTrustBundle(renderTrustBundle(BUNDLE)))).toEqual(BUNDLE);
});

test("X9, B2: every key says what it is for, an X.509 entry has one certificate and no kid", () => {
  expect(JSON.parse(renderTrustBundle(BUNDLE))).toEqual({
    keys: [
      { ...EC, use: "x509-svid", x5c: ["MIIA"] },
      { ...RSA, use: "x509-svid", x5c: ["MIIB"] },
      { ...EC, kid: "k1", use: "jwt-svid" },
    ],
    spiffe_sequence: 7,
    spiffe_refresh_hint: 300,
  });
});

test("B1: a bundle without keys is read, and makes nobody valid", () => {
  expect(must(read({ keys: [] }))).toEqual({ x509: [], jwt: [] });
});

test("B3: a sequence number of 64 bits is read, as one that counts nanoseconds is", () => {
  const text = '{"keys":[],"spiffe_sequence":1790000000000000000}';
  expect(must(readTrustBundle(text))).toEqual({ x509: [], jwt: [], sequence: 1_790_000_000_000_000_000 });
  expect(refusal('{"keys":[],"spiffe_sequence":9223372036854775808}')).toEqual([
    "FIELD_INVALID spiffe_sequence: spiffe_sequence is not a whole number.",
  ]);
});

test.each([
  ["no object", "[]", "FIELD_MISSING keys: The bundle has no list of keys."],
  ["no keys", "{}", "FIELD_MISSING keys: The bundle has no list of keys."],
  ["no JSON", "{", "FIELD_INVALID : The bundle is not JSON."],
  ["B4: a name twice", '{"keys":[],"keys":[]}', 'FIELD_CONFLICT keys: The bundle says "keys" twice.'],
  [
    "B4: a name twice, written otherwise",
    '{"keys":[],"\\u006beys":[]}',
    'FIELD_CONFLICT keys: The bundle says "keys" twice.',
  ],
  [
    "B3: a sequence that is no number",
    '{"keys":[],"spiffe_sequence":"7"}',
    "FIELD_INVALID spiffe_sequence: spiffe_sequence is not a whole number.",
  ],
  [
    "B3: a negative hint",
    '{"keys":[],"spiffe_refresh_hint":-1}',
    "FIELD_INVALID spiffe_refresh_hint: spiffe_refresh_hint is not a whole number.",
  ],
])("what is no bundle is refused whole (%s)", (_, text, sentence) => {
  expect(refusal(text)).toEqual([sentence]);
});

test.each([
  ["an unknown use", { ...EC, use: "wit-svid", kid: "k" }],
  ["an unknown kind", { kty: "OKP", crv: "Ed25519", x: "eA", use: "jwt-svid", kid: "k" }],
])("B2: an entry of another standard is left out (%s)", (_, entry) => {
  expect(must(read({ keys: [entry] }))).toEqual({ x509: [], jwt: [] });
});

test.each([
  ["no use", { ...EC, kid: "k" }, "FIELD_MISSING keys[1].use: A key of the bundle has no use."],
  ["no kind", { use: "jwt-svid", kid: "k" }, "FIELD_MISSING keys[1].kty: A key of the bundle has no kty."],
  ["a token key without kid", { ...EC, use: "jwt-svid" }, "FIELD_MISSING keys[1].kid: A token key has no kid."],
  [
    "half a key",
    { kty: "EC", crv: "P-256", use: "jwt-svid", kid: "k" },
    "FIELD_MISSING keys[1]: A key of the bundle lacks one of crv, x, y.",
  ],
  ["no object", 7, "FIELD_INVALID keys[1]: An entry of the bundle is no key."],
  [
    "X9: no certificate",
    { ...EC, use: "x509-svid" },
    "FIELD_INVALID keys[1].x5c: An X.509 authority has exactly one certificate in x5c.",
  ],
  [
    "X9: two certificates",
    { ...EC, use: "x509-svid", x5c: ["MIIA", "MIIB"] },
    "FIELD_INVALID keys[1].x5c: An X.509 authority has exactly one certificate in x5c.",
  ],
  [
    "the same certificate twice",
    { ...EC, use: "x509-svid", x5c: ["MIIC"] },
    "FIELD_CONFLICT keys: The bundle has the key MIIC twice.",
  ],
])("one wrong entry refuses the whole (%s)", (_, entry, sentence) => {
  expect(refusal(JSON.stringify({ keys: [{ ...EC, use: "x509-svid", x5c: ["MIIC"] }, entry] }))).toEqual([sentence]);
});

test("two token keys of one kid refuse the whole", () => {
  const key = { ...EC, use: "jwt-svid", kid: "k" };
  expect(refusal(JSON.stringify({ keys: [key, key] }))).toEqual([
    "FIELD_CONFLICT keys: The bundle has the key k twice.",
  ]);
});

test("a bundle is bounded, in size and in keys", () => {
  expect(refusal(`{"keys":[]${" ".repeat(512 * 1024)}}`)).toEqual(["FIELD_INVALID : The bundle is too large."]);
  const keys = Array.from({ length: 129 }, () => ({ ...EC, use: "other" }));
  expect(refusal(JSON.stringify({ keys }))).toEqual(["FIELD_INVALID keys: The bundle has more than 128 keys."]);
});

test("of an entry only what is public is taken over", () => {
  const keys = [{ ...EC, use: "jwt-svid", kid: "k", d: "secret" }];
  expect(must(read({ keys }))).toEqual({ x509: [], jwt: [{ ...EC, kid: "k" }] });
});

test("readers of OpenID Connect get the same keys in their words", () => {
  expect(JSON.parse(renderKeySet(BUNDLE.jwt))).toEqual({ keys: [{ ...EC, kid: "k1", use: "sig", alg: "ES256" }] });
  expect(JSON.parse(renderDiscovery("https://signet.example.org"))).toMatchObject({
    issuer: "https://signet.example.org",
    jwks_uri: "https://signet.example.org/keys",
    id_token_signing_alg_values_supported: ["ES256"],
  });
});

test("strict JSON reads what JSON.parse reads, unless a name stands twice", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(must(readStrictJson(text, "It"))).toEqual(JSON.parse(text));
    }),
    { numRuns: 300 },
  );
  const nested = '{"a":{"b":1},"c":[{"b":1},{"b":2}],"x":"a\\":{\\"b"}';
  expect(readStrictJson(nested, "It").ok).toBe(true);
  expect(readStrictJson('[{"a":{"b":1,"b":2}}]', "It").ok).toBe(false);
});

test("no text makes the reader of bundles throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof readTrustBundle(text).ok === "boolean"),
    { numRuns: 300 },
  );
});
