import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keyFileSealing, sealedFile } from "../../src/ca/keys/sealed-file.ts";
import { seal, type Sealing, unseal } from "../../src/ca/keys/seal.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "signet-sealed-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const SECRET: Sealing = { secret: "correct horse", kind: "passphrase" };

test("what is sealed opens with the same secret, and its text is nowhere in the file", async () => {
  const vault = sealedFile(join(folder, "one"), SECRET);
  const { text, version } = await vault.read();
  expect([text, await vault.write("the key", version)]).toEqual([undefined, true]);
  expect((await sealedFile(join(folder, "one"), SECRET).read()).text).toBe("the key");
  const path = join(folder, "one", "authorities.sealed");
  expect([readFileSync(path, "utf8").includes("the key"), statSync(path).mode & 0o777]).toEqual([false, 0o600]);
});

test("a writer that did not see the last change writes nothing", async () => {
  const vault = sealedFile(join(folder, "two"), SECRET);
  const { version } = await vault.read();
  expect([await vault.write("first", version), await vault.write("second", version)]).toEqual([true, false]);
  expect((await vault.read()).text).toBe("first");
});

test("another secret, and every change of the file, are noticed", async () => {
  const sealed = await seal("the key", SECRET);
  const at = sealed.indexOf('"data":"') + 9;
  const changed = `${sealed.slice(0, at)}${sealed[at] === "A" ? "B" : "A"}${sealed.slice(at + 1)}`;
  const opened = [
    await unseal(sealed, { ...SECRET, secret: "another" }),
    await unseal(sealed, { ...SECRET, kind: "random" }),
    await unseal(changed, SECRET),
    await unseal("{}", SECRET),
    await unseal("", SECRET),
  ];
  expect(opened).toEqual([undefined, undefined, undefined, undefined, undefined]);
  const path = join(folder, "three");
  const vault = sealedFile(path, SECRET);
  await vault.write("the key", "");
  writeFileSync(join(path, "authorities.sealed"), changed);
  await expect(vault.read()).rejects.toThrow(/cannot be opened: another passphrase or key file, or a damaged file$/);
});

test("a key file is made once, for its owner alone", () => {
  const path = join(folder, "authority.key");
  const made = keyFileSealing(path);
  expect([keyFileSealing(path), statSync(path).mode & 0o777]).toEqual([made, 0o600]);
});
