import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { certificateFromFolder } from "../../src/ca/certificate-folder.ts";
import { makeAuthority, signLeaf } from "../../src/ca/serving-certificates.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "signet-certificate-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const NOW = Date.parse("2026-11-23T12:00:00Z");
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);

async function fill(hours: number) {
  const authority = await makeAuthority(NOW);
  const leaf = await signLeaf(authority, ["signet"], { notBefore: NOW, notAfter: NOW + hours * 3_600_000 });
  write("tls.crt", leaf.certificate);
  write("tls.key", leaf.key);
  write("ca.crt", authority.certificate);
  return { ...leaf, authority: authority.certificate };
}

test("a mounted Secret is a serving certificate, until it ends", async () => {
  const { certificate, key, authority } = await fill(2);
  const notAfter = NOW + 7_200_000;
  expect(certificateFromFolder(folder)).toEqual({ certificate, key, authority, notAfter, renewAt: notAfter });
});

test("a key of another certificate is refused, as between two renewals", async () => {
  const { key } = await fill(2);
  await fill(2);
  write("tls.key", key);
  expect(() => certificateFromFolder(folder)).toThrow(/does not belong to its certificate/);
});

test("a file that is missing is refused by its name", async () => {
  await fill(2);
  rmSync(join(folder, "ca.crt"));
  expect(() => certificateFromFolder(folder)).toThrow(/ca\.crt/);
});
