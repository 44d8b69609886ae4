import { X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { servingCertificate } from "../../src/ca/serving.ts";

const NOON = Date.parse("2026-11-23T12:00:00Z");
const YEAR_MS = 365 * 24 * 3_600_000;

let folder = "";
beforeEach(() => {
  const made = mkdtempSync(join(tmpdir(), "signet-authority-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  folder = made;
});

const at = (name: string): string => join(folder, name);
const read = (name: string): string => readFileSync(at(name), "utf8");
const serve = (now: number) => servingCertificate(folder, ["localhost"], now);
const authorities = (pem: string): readonly string[] => pem.match(/-----BEGIN[^]*?-----END CERTIFICATE-----/g) ?? [];

/** Whether a leaf is signed by an authority, as Node's own X.509 sees it. */
function isBy(certificate: string, authority: string): boolean {
  const issuer = new X509Certificate(authority);
  return new X509Certificate(certificate).verify(issuer.publicKey);
}

describe("an authority that cannot sign stops the start, and is left as it is", () => {
  const certificateOf = (pem: string): string => pem.slice(pem.indexOf("-----BEGIN CERT"));
  test.each<[string, (pem: string) => string, string]>([
    ["is empty", () => "", "is empty"],
    ["holds only white space", () => "\n\n", "is empty"],
    ["has lost its certificate", (pem) => pem.slice(0, pem.indexOf("-----BEGIN CERT")), "holds no certificate"],
    ["has lost its key", certificateOf, "private key"],
    ["has a broken key", (pem) => pem.replace(/\n.{10}/, "\nAAAAAAAAAA"), "private key"],
    ["has a broken certificate", (pem) => pem.replace(/(CERTIFICATE-----\n).{10}/, "$1AAAAAAAAAA"), "the certificate"],
  ])("it %s", async (_, spoil, why) => {
    await serve(NOON);
    const spoilt = spoil(read("authority.pem"));
    writeFileSync(at("authority.pem"), spoilt);
    await expect(serve(NOON)).rejects.toThrow(why);
    await expect(serve(NOON)).rejects.toThrow(at("authority.pem"));
    expect(read("authority.pem")).toBe(spoilt);
  });

  test("its key is another's", async () => {
    await serve(NOON);
    const first = read("authority.pem");
    rmSync(at("authority.pem"));
    await serve(NOON);
    writeFileSync(at("authority.pem"), read("authority.pem").split("-----BEGIN CERT")[0] + certificateOf(first));
    await expect(serve(NOON)).rejects.toThrow(`the key in ${at("authority.pem")} is not its certificate's`);
  });
});

describe("an authority that nears its end", () => {
  test("signs alone for eight of its ten years", async () => {
    const first = await serve(NOON);
    const later = await serve(NOON + 7.9 * YEAR_MS);
    expect(later.authority).toBe(first.authority);
    expect(isBy(later.certificate, first.authority)).toBe(true);
    expect(existsSync(at("authority-next.pem"))).toBe(false);
  });

  test("has an heir that callers may trust for a year before it signs, and then hands over", async () => {
    const first = (await serve(NOON)).authority;
    const known = await serve(NOON + 8.1 * YEAR_MS);
    const [still, heir = ""] = authorities(known.authority);
    expect(still).toBe(first.trim());
    expect([isBy(known.certificate, first), authorities(read("ca.crt"))]).toEqual([true, [still, heir]]);
    expect(authorities((await serve(NOON + 8.9 * YEAR_MS)).authority)).toEqual([still, heir]);
    const over = await serve(NOON + 9.1 * YEAR_MS);
    expect(isBy(over.certificate, heir)).toBe(true);
    expect(authorities(over.authority)).toEqual([heir, still]);
    expect(existsSync(at("authority-next.pem"))).toBe(false);
    expect((await serve(NOON + 9.2 * YEAR_MS)).authority).toBe(heir);
  });

  test("and is over is replaced at once, and trusted no longer", async () => {
    const first = (await serve(NOON)).authority;
    const late = await serve(NOON + 11 * YEAR_MS);
    expect(authorities(late.authority)).toHaveLength(1);
    expect(late.authority).not.toBe(first);
    expect(new X509Certificate(late.authority).validToDate.getTime()).toBeGreaterThan(NOON + 20 * YEAR_MS);
  });

  test("a crash between taking over and clearing away leaves one authority, with an heir of its own in time", async () => {
    await serve(NOON);
    await serve(NOON + 8.1 * YEAR_MS);
    writeFileSync(at("authority.pem"), read("authority-next.pem"));
    const [signer, ...others] = authorities((await serve(NOON + 16.5 * YEAR_MS)).authority);
    expect(others).toHaveLength(1);
    expect(others).not.toContain(signer);
  });
});
