import { sign } from "node:crypto";
import { expect, test } from "vitest";
import { verifierOf } from "../../src/ca/keys/own-signatures.ts";
import { memoryKey } from "../../src/ca/keys/signing-key.ts";
import { leafKey } from "../fakes/ca.ts";

const key = leafKey();
const signed = (text: string, by = key): readonly [Buffer, Buffer] => [
  Buffer.from(text),
  sign("sha256", Buffer.from(text), by),
];
const STRANGE = signed("b", leafKey());

test("of what a key in memory signs together the newest signature stands for all", async () => {
  const verify = verifierOf(memoryKey(key));
  expect(await Promise.all([verify(...STRANGE), verify(...signed("a"))])).toEqual([true, true]);
  expect(await Promise.all([verify(...signed("a")), verify(...STRANGE)])).toEqual([false, false]);
});

test("what a key in memory signs during a verification stands or falls with the next one", async () => {
  const verify = verifierOf(memoryKey(key));
  const first = verify(...signed("a"));
  await Promise.resolve();
  await Promise.resolve();
  const later = [verify(...signed("b")), verify(...STRANGE)];
  expect(await first).toBe(true);
  expect(await Promise.all(later)).toEqual([false, false]);
  expect(await verify(...signed("c"))).toBe(true);
});

test("a signature that comes alone is verified itself", async () => {
  const verify = verifierOf(memoryKey(key));
  expect(await verify(...STRANGE)).toBe(false);
  expect(await verify(...signed("a"))).toBe(true);
});

test("each signature of a key that lies elsewhere is verified", async () => {
  const verify = verifierOf({ ...memoryKey(key), inMemory: false });
  expect(await Promise.all([verify(...signed("a")), verify(...STRANGE), verify(...signed("c"))])).toEqual([
    true,
    false,
    true,
  ]);
});
