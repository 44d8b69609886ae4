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

test("what a key in memory signs meanwhile stands with the signature that is being verified, and the next is verified", async () => {
  const verify = verifierOf(memoryKey(key));
  expect(await Promise.all([verify(...signed("a")), verify(...STRANGE)])).toEqual([true, true]);
  expect(await verify(...STRANGE)).toBe(false);
  expect(await verify(...signed("c"))).toBe(true);
});

test("what a key in memory signs meanwhile falls with the signature that is being verified", async () => {
  const verify = verifierOf(memoryKey(key));
  expect(await Promise.all([verify(...STRANGE), verify(...signed("a"))])).toEqual([false, false]);
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
