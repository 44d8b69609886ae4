import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { svidTools } from "../../src/bin/svid-tools.ts";
import { issue } from "../../src/ca/issue.ts";
import { certificatesPem } from "../../src/ca/pem.ts";
import { makeTokenKey, publicTokenKeys, signingKeyAt, type TokenKeySet } from "../../src/ca/tokens/key-set.ts";
import { mintToken } from "../../src/ca/tokens/mint.ts";
import { svidCommand } from "../../src/cli/svid.ts";
import { runCli } from "../../src/cli/program.ts";
import { composeSpiffeId } from "../../src/domain/spiffe-id.ts";
import { TokenPlan } from "../../src/identity/token-plan.ts";
import { type PublicJwk, renderTrustBundle } from "../../src/wire/trust-bundle.ts";
import { csrOf, leafKey, podRequest, testAuthority, walkParts } from "../fakes/ca.ts";
import { fakeIo } from "../fakes/io.ts";
import { must, NOON } from "../fakes/judging.ts";

const ID = must(composeSpiffeId("partner.org", "shop", "cart"));
let files: Readonly<Record<string, string>>;

beforeAll(async () => {
  const authority = await testAuthority();
  const keys: TokenKeySet = [await makeTokenKey(NOON)];
  const root = new X509Certificate(authority.root.der).publicKey.export({ format: "jwk" }) as PublicJwk;
  const x509 = [{ key: root, certificate: authority.root.der.toString("base64") }];
  const { parts } = walkParts(authority.issuer);
  files = {
    token: `${tokenBy(keys)}\n`,
    forged: tokenBy([await makeTokenKey(NOON)]),
    "partner.json": renderTrustBundle({ x509: [], jwt: publicTokenKeys(keys), sequence: 1 }),
    "svid.pem": certificatesPem(must(await issue(podRequest(csrOf(leafKey())), parts)).chain),
    "ours.json": renderTrustBundle({ x509, jwt: publicTokenKeys(keys), sequence: 1 }),
    "roots.pem": certificatesPem([authority.root.der]),
    "another.json": renderTrustBundle({ x509: [await otherRoot()], jwt: [], sequence: 1 }),
  };
});

async function otherRoot() {
  const { der } = (await testAuthority()).root;
  const key = new X509Certificate(der).publicKey.export({ format: "jwk" }) as PublicJwk;
  return { key, certificate: der.toString("base64") };
}

function tokenBy(keys: TokenKeySet): string {
  const wish = { audiences: ["shop", "till"] };
  const plan = must(TokenPlan.for({ spiffeId: ID, now: NOON, id: "t-1", maxTtlSeconds: 3600 }, wish));
  const signer = signingKeyAt(keys, NOON);
  return mintToken(plan, signer ?? { kid: "", key: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey });
}

async function verify(line: string) {
  const { io, printed } = fakeIo(files, { now: new Date(NOON).toISOString() });
  const code = await runCli(
    io,
    ["svid", "verify", ...line.split(" ")],
    [svidCommand(() => Promise.resolve(svidTools))],
  );
  return { code, ...printed };
}

test("a token of another domain is verified by the keys of its bundle", async () => {
  const { code, out } = await verify("token --audience till --bundle partner.json --trust-domain partner.org");
  const ends = new Date(NOON + 15 * 60_000).toISOString().replace(".000", "");
  expect([code, out]).toEqual([0, `identity  ${ID}\naudiences shop, till\nends      ${ends}\nid        t-1\n`]);
});

test.each([
  [
    "token --audience other --bundle partner.json --trust-domain partner.org",
    "aud: The token is for another audience.",
  ],
  [
    "forged --audience shop --bundle partner.json --trust-domain partner.org",
    "signature: No key of its trust domain has signed the token.",
  ],
  [
    "token --audience shop --bundle ours.json --trust-domain example.org",
    "signature: No key of its trust domain has signed the token.",
  ],
  ["svid.pem --audience shop --bundle ours.json --trust-domain example.org", "The token is not a JWS in compact form."],
])("`svid verify %s` is refused", async (line, said) => {
  const { code, err } = await verify(line);
  expect([code, err.split("\n")[0]]).toEqual([3, `signet: ${said} [TOKEN_REFUSED]`]);
});

test("a token needs the bundle as it is published", async () => {
  const { code, err } = await verify("token --audience shop --bundle roots.pem --trust-domain example.org");
  expect([code, err.split("\n")[0]]).toEqual([3, "signet: The bundle is not JSON. [FIELD_INVALID]"]);
});

test("a certificate is verified by a bundle as it is published, as by its roots", async () => {
  const by = (bundle: string) => verify(`svid.pem --bundle ${bundle} --trust-domain example.org`);
  const [json, pem] = [await by("ours.json"), await by("roots.pem")];
  expect([json.code, json.out]).toEqual([
    0,
    expect.stringMatching(/^identity {2}spiffe:\/\/example\.org\/ns\/web\/sa\/cart\n/),
  ]);
  expect(pem).toEqual(json);
  expect((await by("another.json")).code).toBe(3);
});
