import { execFileSync } from "node:child_process";
import { createPublicKey, verify, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { PKCS11 } from "pkcs11js";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { issue } from "../../src/ca/issue.ts";
import { KeyUnavailable } from "../../src/ca/keys/key-store.ts";
import { findPkcs11Key, pkcs11Keys } from "../../src/ca/keys/pkcs11/keys.ts";
import { readAuthorityBook } from "../../src/wire/authority-book.ts";
import { parsePkcs11Uri } from "../../src/wire/pkcs11-uri.ts";
import { csrOf, leafKey, podRequest, walkParts } from "../fakes/ca.ts";
import { must } from "../fakes/judging.ts";
import { handClock, keeperOver, memoryVault, workAll } from "../fakes/vault.ts";

const TEST_MS = 60_000;
const PIN = "4711-geheim";
const MODULE = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"].find((path) =>
  existsSync(path),
);

let folder = "";
let pin = PIN;
const lost: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "signet-token-"));
  mkdirSync(join(folder, "tokens"));
  writeFileSync(join(folder, "softhsm2.conf"), `directories.tokendir = ${join(folder, "tokens")}\nlog.level = ERROR\n`);
  process.env["SOFTHSM2_CONF"] = join(folder, "softhsm2.conf");
  execFileSync("softhsm2-util", ["--init-token", "--free", "--label", "signet", "--so-pin", "12345678", "--pin", PIN]);
  writeFileSync(join(folder, "pin"), `${PIN}\n`);
}, TEST_MS);

afterAll(() => {
  delete process.env["SOFTHSM2_CONF"];
  rmSync(folder, { recursive: true, force: true });
});

const uri = (more = "") => must(parsePkcs11Uri(`pkcs11:token=signet${more}?module-path=${MODULE ?? ""}`, ""));
const parts = { readPin: () => pin, lost: (reason: string) => void lost.push(reason) };
const unplug = () => renameSync(join(folder, "tokens"), join(folder, "away"));
const plug = () => renameSync(join(folder, "away"), join(folder, "tokens"));

const why = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "ok",
    (fault: unknown) => (fault instanceof KeyUnavailable ? fault.message : String(fault)),
  );

test("a wrong PIN is shown to the token once, and the right one after it", { timeout: TEST_MS }, async () => {
  // The first test: whoever is logged in is not asked again, in the whole process.
  pin = "wrong";
  const keys = pkcs11Keys(uri(), parts);
  const [opened, closed] = (["C_OpenSession", "C_CloseSession"] as const).map((each) =>
    vi.spyOn(PKCS11.prototype, each),
  );
  onTestFinished(() => void vi.restoreAllMocks());
  expect([await why(keys.make("ECDSAP256")), await why(keys.make("ECDSAP256"))]).toEqual([
    "token signet: CKR_PIN_INCORRECT",
    "token signet refused this PIN; it is not tried again",
  ]);
  expect([opened?.mock.calls.length, closed?.mock.calls.length]).toEqual([2, 2]);
  pin = PIN;
  expect(await why(keys.make("ECDSAP256"))).toBe("ok");
});

test("a key that is made at the second try is another one than the first try left behind", {
  timeout: TEST_MS,
}, async () => {
  const keys = pkcs11Keys(uri(), parts);
  const failing = vi.spyOn(PKCS11.prototype, "C_GetAttributeValue").mockImplementationOnce(() => {
    throw new Error("CKR_DEVICE_ERROR");
  });
  onTestFinished(() => failing.mockRestore());
  const { kept, key } = await keys.make("ECDSAP256");
  expect(await why(Promise.resolve(keys.open(kept, key.spki).sign(Buffer.from("to be signed"))))).toBe("ok");
});

test("keys are made in the token, sign there, and are found again by what is kept of them", {
  timeout: TEST_MS,
}, async () => {
  const keys = pkcs11Keys(uri(), parts);
  for (const keyType of ["ECDSAP256", "ECDSAP384", "RSA3072"] as const) {
    const { kept, key } = await keys.make(keyType);
    expect([key.keyType, /^pkcs11:token=signet;id=(%[0-9a-f]{2}){20}$/.test(kept)]).toEqual([keyType, true]);
    const text = Buffer.from("to be signed");
    const publicKey = createPublicKey({ key: key.spki, format: "der", type: "spki" });
    for (const each of [key, keys.open(kept, key.spki)])
      expect(verify(key.algorithm.hash, text, publicKey, await each.sign(text))).toBe(true);
    await keys.forget(kept);
    await expect(key.sign(text)).rejects.toThrow("token signet: the key is not in it");
  }
  expect(lost).toEqual([]);
});

test("an authority whose key is in the token issues, survives its unplugging, and leaves no key behind", {
  timeout: TEST_MS,
}, async () => {
  const [vault, clock] = [memoryVault(), handClock()];
  const keys = pkcs11Keys(uri(";object=issuing"), parts);
  const keeper = keeperOver(vault, clock, { keys });
  expect(await workAll(keeper)).toEqual(["make", "publish", "confirm", "activate"]);
  for (const secret of ["PRIVATE KEY", PIN, "module-path"]) expect(vault.text).not.toContain(secret);
  const { parts: walk, ledger } = walkParts(keeper.current().issuer);
  const ask = () => issue(podRequest(csrOf(leafKey())), walk);
  expect((await ask()).ok).toBe(true);
  unplug();
  const refused = await ask();
  expect(refused.ok ? [] : refused.problems.map(({ code, message }) => `${code} ${message}`)).toEqual([
    expect.stringMatching(/^AUTHORITY_UNAVAILABLE The authority's key cannot be used: .+\.$/),
  ]);
  plug();
  expect((await ask()).ok).toBe(true);
  expect(ledger.map(({ outcome }) => outcome)).toEqual(["issued", "refused", "issued"]);
  expect(JSON.stringify(ledger)).not.toContain(PIN);
  await keeper.refresh();
  const [kept, spki] = keyIn(vault.text ?? "");
  await keeper.step({ step: "condemn", id: keeper.current().set.authorities[0]?.id ?? "", remove: "now" });
  expect(await workAll(keeper)).toEqual(["make", "publish", "confirm", "activate", "revoke"]);
  await expect(keys.open(kept, spki).sign(Buffer.from("x"))).rejects.toThrow("token signet: the key is not in it");
  expect(lost).toEqual([]);
});

/** Where the one authority's key lies, and its public half. */
function keyIn(book: string): readonly [kept: string, spki: Buffer] {
  const { material } = must(readAuthorityBook(book));
  const [
    {
      key = "",
      chain: [first = ""],
    } = { chain: [] },
  ] = Object.values(material);
  const { publicKey } = new X509Certificate(Buffer.from(first, "base64"));
  return [key, publicKey.export({ type: "spki", format: "der" })];
}

test("the root of `signet ca init` may lie in the token, and signs from there", { timeout: TEST_MS }, async () => {
  const cli = join(import.meta.dirname, "../../src/bin/cli.ts");
  const key = `pkcs11:token=signet;object=root?module-path=${MODULE ?? ""}&pin-source=file:${join(folder, "pin")}`;
  const signet = (...args: readonly string[]) =>
    execFileSync(process.execPath, [cli, ...args], { cwd: folder, encoding: "utf8" });
  expect(signet("ca", "init", "--trust-domain", "example.org", "--out", "root", "--key", key)).toMatch(
    /^Root of example\.org: key [0-9a-f]{40}, until /,
  );
  expect(readFileSync(join(folder, "root", "root.key"), "utf8")).not.toContain(PIN);
  writeFileSync(join(folder, "next.csr"), pem(csrOf(leafKey())));
  expect(signet("ca", "sign", "next.csr", "--root", "root")).toMatch(
    /^(-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n){2}-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----\n$/,
  );
});

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64").replace(/.{64}(?=.)/g, "$&\n")}\n-----END CERTIFICATE REQUEST-----\n`;

test("what is not there is told in words", {
  timeout: TEST_MS,
}, async () => {
  const read = (text: string, readPin = parts.readPin) => why(findPkcs11Key(must(parsePkcs11Uri(text, "")), readPin));
  expect(await read(`pkcs11:token=other;object=x?module-path=${MODULE ?? ""}`)).toBe(
    "token other: there is no such token",
  );
  expect(await read("pkcs11:token=signet;object=x")).toBe("the PKCS#11 URI has no module-path");
  expect(await read("pkcs11:token=signet;object=x?module-path=/none.so")).toMatch(/^the PKCS#11 library \/none\.so: /);
  expect(await findPkcs11Key(uri(";object=nobody"), parts.readPin)).toBeUndefined();
});
