import { createPublicKey, sign, verify } from "node:crypto";
import * as fc from "fast-check";
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { beforeAll, expect, test } from "vitest";
import { derToConcat } from "../../../src/ca/tokens/der-signature.ts";
import { makeTokenKey, publicTokenKeys, signingKeyAt, type TokenKeySet } from "../../../src/ca/tokens/key-set.ts";
import { mintToken, type SigningKey } from "../../../src/ca/tokens/mint.ts";
import { verifyToken } from "../../../src/ca/tokens/verify.ts";
import { TokenPlan } from "../../../src/identity/token-plan.ts";
import { bundles, handMade, NOW, ORDERS, pair, planFor } from "./make.ts";

let keys: TokenKeySet;
let signer: SigningKey;
beforeAll(async () => {
  keys = [await makeTokenKey(NOW - 1000)];
  signer = signingKeyAt(keys, NOW) as SigningKey;
});

const ours = () => bundles({ "prod.example.org": { x509: [], jwt: publicTokenKeys(keys) } });
const told = async (token: string, terms: { audience?: string; now?: number } = {}) => {
  const read = await verifyToken(token, { bundleOf: ours(), audience: "shop", now: NOW, ...terms });
  return read.ok ? read.value : read.problems.map(({ code, path, message }) => `${code} ${path}: ${message}`);
};

test("a minted token says whose it is, for whom, and until when, and its verifier reads the same", async () => {
  const token = mintToken(planFor(), signer);
  expect(await told(token)).toEqual({
    spiffeId: ORDERS,
    trustDomain: "prod.example.org",
    path: "/ns/payments/sa/orders",
    audiences: ["shop"],
    expiresAt: NOW + 900_000,
    id: "t-1",
  });
});

test("jose reads a minted token by the key set, five minutes slow and until it ends five minutes fast", async () => {
  const keySet = createLocalJWKSet({
    keys: publicTokenKeys(keys).map((key) => ({ ...key, use: "sig", alg: "ES256" })),
  });
  const token = mintToken(planFor(), signer);
  const at = (now: number) =>
    jwtVerify(token, keySet, { audience: "shop", subject: ORDERS, currentDate: new Date(now), maxTokenAge: 3600 });
  for (const skew of [-300_000, 0, 300_000]) expect((await at(NOW + skew)).payload.sub).toBe(ORDERS);
  await expect(at(NOW + 86_400_000)).rejects.toThrow('"exp" claim timestamp check failed');
});

test("J1: a token has three parts and the headers alg, kid and typ", () => {
  const token = mintToken(planFor(), signer);
  expect([token.split(".").length, decodeProtectedHeader(token)]).toEqual([
    3,
    { alg: "ES256", kid: signer.kid, typ: "JWT" },
  ]);
});

const stranger = pair("k1");
const mine = () => bundles({ "prod.example.org": { x509: [], jwt: [stranger.jwk] } });
const CLAIMS = { sub: ORDERS, aud: "shop", exp: NOW / 1000 + 60 };
const HEADER = { alg: "ES256", kid: "k1", typ: "JWT" };
const judged = async (token: string, now = NOW) => {
  const read = await verifyToken(token, { bundleOf: mine(), audience: "shop", now });
  return read.ok ? "accepted" : read.problems.map(({ code, path, message }) => `${code} ${path}: ${message}`).join();
};

test("a token made by hand as the standard says is accepted", async () => {
  expect(await judged(handMade(stranger.privateKey, HEADER, CLAIMS))).toBe("accepted");
  expect(await judged(handMade(stranger.privateKey, HEADER, { ...CLAIMS, nbf: NOW / 1000 }))).toBe("accepted");
});

test.each([
  [
    "J1: jku",
    { ...HEADER, jku: "https://evil.example" },
    "TOKEN_REFUSED header: The token's header holds more than alg, kid and typ.",
  ],
  ["J1: crit", { ...HEADER, crit: [] }, "TOKEN_REFUSED header: The token's header holds more than alg, kid and typ."],
  ["J1: typ", { ...HEADER, typ: "at+jwt" }, "TOKEN_REFUSED header.typ: The token is of another type."],
  ["J2: EdDSA", { ...HEADER, alg: "EdDSA" }, "TOKEN_REFUSED header.alg: The token's algorithm is not allowed."],
  ["J2: HS256", { ...HEADER, alg: "HS256" }, "TOKEN_REFUSED header.alg: The token's algorithm is not allowed."],
  ["J2: none", { ...HEADER, alg: "none" }, "TOKEN_REFUSED header.alg: The token's algorithm is not allowed."],
  [
    "J2: another family",
    { ...HEADER, alg: "RS256" },
    "TOKEN_REFUSED signature: No key of its trust domain has signed the token.",
  ],
  [
    "another kid",
    { ...HEADER, kid: "k2" },
    "TOKEN_REFUSED signature: No key of its trust domain has signed the token.",
  ],
  ["a kid that is no text", { ...HEADER, kid: 7 }, "TOKEN_REFUSED header.kid: The token's kid is not a text."],
])("a token with a wrong header is refused (%s)", async (_, header, sentence) => {
  expect(await judged(handMade(stranger.privateKey, header, CLAIMS))).toBe(sentence);
});

const SUBJECT = "TOKEN_REFUSED sub: The token's subject is not the SPIFFE ID of a workload.";
test.each([
  ["J3: no subject", { ...CLAIMS, sub: undefined }, SUBJECT],
  ["J3: a subject that is no SPIFFE ID", { ...CLAIMS, sub: "system:serviceaccount:payments:orders" }, SUBJECT],
  ["a trust domain alone", { ...CLAIMS, sub: "spiffe://prod.example.org" }, SUBJECT],
  ["a path trick", { ...CLAIMS, sub: "spiffe://prod.example.org/ns/x/../payments/sa/orders" }, SUBJECT],
  ["an escape", { ...CLAIMS, sub: "spiffe://prod.example.org/ns/payments%2Fsa/orders" }, SUBJECT],
  ["a look-alike letter", { ...CLAIMS, sub: "spiffe://prod.example.org/ns/payments/sa/ordеrs" }, SUBJECT],
  ["upper case", { ...CLAIMS, sub: "SPIFFE://prod.example.org/ns/payments/sa/orders" }, SUBJECT],
  ["J3: no audience", { ...CLAIMS, aud: undefined }, "TOKEN_REFUSED aud: The token is for another audience."],
  ["J3: another audience", { ...CLAIMS, aud: ["bank"] }, "TOKEN_REFUSED aud: The token is for another audience."],
  ["a longer audience", { ...CLAIMS, aud: "shop.evil" }, "TOKEN_REFUSED aud: The token is for another audience."],
  ["J3: no end", { ...CLAIMS, exp: undefined }, "TOKEN_REFUSED exp: The token has no end."],
  ["J3: an end in words", { ...CLAIMS, exp: "never" }, "TOKEN_REFUSED exp: The token has no end."],
  ["J3: an end that has come", { ...CLAIMS, exp: NOW / 1000 }, "TOKEN_REFUSED exp: The token has ended."],
  ["a begin that is to come", { ...CLAIMS, nbf: NOW / 1000 + 1 }, "TOKEN_REFUSED nbf: The token has not begun."],
  ["a begin in words", { ...CLAIMS, nbf: "now" }, "TOKEN_REFUSED nbf: The token's begin is not a number."],
  [
    "B5: another trust domain, by a key of ours",
    { ...CLAIMS, sub: "spiffe://test.example.org/ns/payments/sa/orders" },
    "TOKEN_REFUSED signature: No key of its trust domain has signed the token.",
  ],
  [
    "a claim that stands twice",
    `{"sub":"${ORDERS}","aud":"shop","exp":9999999999,"aud":"bank"}`,
    "TOKEN_REFUSED claims: The token's claims cannot be read.",
  ],
])("a token with wrong claims is refused (%s)", async (_, claims, sentence) => {
  expect(await judged(handMade(stranger.privateKey, HEADER, claims))).toBe(sentence);
});

test("a token whose signature, claims or text was changed is refused", async () => {
  const good = handMade(stranger.privateKey, HEADER, CLAIMS);
  const [head = "", body = "", signature = ""] = good.split(".");
  const other = handMade(pair("k1").privateKey, HEADER, CLAIMS);
  const last = signature.at(-1) === "A" ? "B" : "A";
  for (const changed of [other, `${head}.${body}.${signature.slice(0, -1)}${last}`, `${good}=`, `${head}.${body}.`, ""])
    expect(await judged(changed)).toMatch(/^TOKEN_REFUSED/);
  expect(await judged(`${"a".repeat(9000)}.b.c`)).toBe("TOKEN_REFUSED : A token has at most 8192 bytes.");
});

test("J4: one audience stands as a text, several as a list, and five are refused", () => {
  const body = (token: string) => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as object;
  expect(body(mintToken(planFor(), signer))).toEqual({
    sub: ORDERS,
    aud: "shop",
    exp: NOW / 1000 + 900,
    iat: NOW / 1000 - 300,
    jti: "t-1",
  });
  expect(body(mintToken(planFor({ audiences: ["a", "b"] }), signer))).toMatchObject({ aud: ["a", "b"] });
});

const refusals = (wish: Parameters<typeof planFor>[0]) => {
  const planned = TokenPlan.for(
    { spiffeId: ORDERS, now: NOW, id: "t", maxTtlSeconds: 3600 },
    wish ?? { audiences: [] },
  );
  return planned.ok ? planned.value.contents.expiresAt - NOW / 1000 : planned.problems.map(({ message }) => message);
};

test.each([
  ["none", []],
  ["five", ["a", "b", "c", "d", "e"]],
  ["one twice", ["a", "a"]],
])("a wish for %s audiences is refused", (_, audiences) => {
  expect(refusals({ audiences })).toEqual([
    `A token is for one to 4 different audiences; ${audiences.length} were named.`,
  ]);
});

test.each([[""], ["a b"], ["ѕhop"], ["a\u0000"], ["x".repeat(256)]])("%j is no audience", (audience) => {
  expect(refusals({ audiences: [audience] })).toEqual([`"${audience.slice(0, 80)}" cannot be an audience.`]);
});

test("a lifetime longer than the role's is cut, one that is no number of seconds is refused", () => {
  expect(refusals({ audiences: ["a"], ttlSeconds: 99_999 })).toBe(3600);
  expect(refusals({ audiences: ["a"], ttlSeconds: 60 })).toBe(60);
  for (const ttlSeconds of [59, 0, -1, 1.5, Number.NaN])
    expect(refusals({ audiences: ["a"], ttlSeconds })).toEqual(["A token lives whole seconds, at least 60."]);
});

test("a plan is signed once", () => {
  const plan = planFor();
  mintToken(plan, signer);
  expect(() => mintToken(plan, signer)).toThrow("the plan of token t-1 was signed before");
});

test("J5: a published key has a kid, and no private part", () => {
  expect(publicTokenKeys(keys).map((key) => Object.keys(key).sort())).toEqual([["crv", "kid", "kty", "x", "y"]]);
});

test("J6: a token without kid is verified by every key of its kind", async () => {
  const token = handMade(stranger.privateKey, { alg: "ES256" }, CLAIMS);
  const bundleOf = bundles({ "prod.example.org": { x509: [], jwt: [pair("a").jwk, pair("b").jwk, stranger.jwk] } });
  expect((await verifyToken(token, { bundleOf, audience: "shop", now: NOW })).ok).toBe(true);
});

test("any DER signature is converted to what node:crypto itself writes for JWS", () => {
  const { privateKey } = pair("k");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (data) => {
      const concat = derToConcat(sign("sha256", data, privateKey), 32);
      return verify("sha256", data, { key: createPublicKey(privateKey), dsaEncoding: "ieee-p1363" }, concat);
    }),
    { numRuns: 300 },
  );
  expect(() => derToConcat(Buffer.from("300602010102", "hex"), 32)).toThrow("not a DER signature");
});

test("no text makes the reader of tokens throw, and none but a signed one passes", async () => {
  const good = handMade(stranger.privateKey, HEADER, CLAIMS);
  const mutated = fc
    .tuple(fc.nat(good.length), fc.nat(3), fc.string({ maxLength: 3 }))
    .map(([at, gone, put]) => good.slice(0, at) + put + good.slice(at + gone))
    .filter((text) => text !== good);
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutated, fc.string(), fc.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/)), async (text) => {
      expect(await judged(text)).toMatch(/^TOKEN_REFUSED/);
    }),
    { numRuns: 300 },
  );
});
