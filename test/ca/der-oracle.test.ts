import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keyIdOf } from "../../src/ca/der/extensions.ts";
import { readSigned } from "../../src/ca/der/read.ts";
import { certificatesPem } from "../../src/ca/pem.ts";
import type { SpiffeId } from "../../src/domain/spiffe-id.ts";
import { readLeafKey } from "../../src/identity/leaf-key.ts";
import { SvidPlan } from "../../src/identity/svid-plan.ts";
import { csrOf, leafKey, PROFILES, spkiOf, testAuthority } from "../fakes/ca.ts";
import { must, NOON } from "../fakes/judging.ts";
import { peculiarLeaf } from "./odd-leaf.ts";

const RSA = { ...PROFILES, issuing: { ...PROFILES.issuing, keyType: "RSA3072" } } as const;
let authority: Awaited<ReturnType<typeof testAuthority>>;
let folder: string;

beforeAll(async () => {
  authority = await testAuthority(RSA);
  folder = mkdtempSync(join(tmpdir(), "signet-oracle-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const ID = "spiffe://example.org/ns/web/sa/cart" as SpiffeId;
const WINDOW = { notBefore: NOON, notAfter: NOON + 3_600_000 };

async function ours(
  by: typeof authority,
  spki: Buffer,
  more: { readonly serial?: string; readonly window?: typeof WINDOW; readonly dnsNames?: readonly string[] } = {},
): Promise<Buffer> {
  const entitled = { spiffeId: ID, trustDomain: "example.org", dnsNames: more.dnsNames ?? [], maxTtlSeconds: 86_400 };
  const particulars = { serial: more.serial ?? "4a4a", issuer: by.issuing, window: more.window ?? WINDOW };
  return (await by.issuer.sign(must(SvidPlan.for(PROFILES.leaf, entitled, must(readLeafKey(spki, "")), particulars))))
    .der;
}

test.each(["ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"] as const)(
  "@peculiar/x509 makes the same certificate, byte for byte, for a key of type %s",
  async (keyType) => {
    const spki = spkiOf(leafKey(keyType));
    expect(await ours(authority, spki)).toEqual(await peculiarLeaf(authority, spki, { window: WINDOW }));
  },
);

test("with names of hosts, and a long serial number, they are the same too", async () => {
  const spki = spkiOf(leafKey());
  const serial = "7f".repeat(20);
  const names = [
    { type: "dns", value: "cart.web.svc" },
    { type: "dns", value: "*.cart.web.svc" },
    { type: "url", value: ID },
  ] as const;
  expect(await ours(authority, spki, { serial, dnsNames: ["cart.web.svc", "*.cart.web.svc"] })).toEqual(
    await peculiarLeaf(authority, spki, { window: WINDOW, serial, names }),
  );
});

test("under an ECDSA authority, whose signatures differ each time, all that is signed is the same", async () => {
  const elliptic = await testAuthority();
  const spki = spkiOf(leafKey());
  const [mine, theirs] = [await ours(elliptic, spki), await peculiarLeaf(elliptic, spki, { window: WINDOW })];
  expect(readSigned(mine).signed.whole).toEqual(readSigned(theirs).signed.whole);
});

const openssl = (line: string): void => {
  execFileSync("openssl", line.split(" "), { cwd: folder, stdio: "ignore" });
};

test("openssl makes the same certificate, byte for byte", async () => {
  // openssl 3.0 has no flag for the first date: it is now.
  const current = await testAuthority(RSA, "example.org", Date.now());
  const key = leafKey();
  const spki = spkiOf(key);
  const file = (name: string, contents: string | Buffer): void => writeFileSync(join(folder, name), contents);
  file("ca.pem", certificatesPem([current.issuing.der]));
  file("ca.key", current.key.export({ type: "pkcs8", format: "pem" }));
  file("leaf.csr", csrOf(key));
  file(
    "leaf.ext",
    [
      "keyUsage = critical, digitalSignature",
      "extendedKeyUsage = serverAuth, clientAuth",
      "basicConstraints = critical, CA:FALSE",
      `subjectKeyIdentifier = ${keyIdOf(spki).toString("hex")}`,
      "authorityKeyIdentifier = keyid:always",
      `subjectAltName = critical, URI:${ID}`,
    ].join("\n"),
  );
  openssl(
    "x509 -req -inform DER -in leaf.csr -CA ca.pem -CAkey ca.key -sha256 -set_serial 0x4a4a -days 1 -extfile leaf.ext -outform DER -out theirs.der",
  );
  const theirs = readFileSync(join(folder, "theirs.der"));
  const { validFrom, validTo } = new X509Certificate(theirs);
  const window = { notBefore: Date.parse(validFrom), notAfter: Date.parse(validTo) };
  expect(await ours(current, spki, { window })).toEqual(theirs);
});
