import { sign } from "node:crypto";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { verifyInThread } from "../../src/bin/issuing/verifying-thread.ts";
import { algorithmOf } from "../../src/ca/der/algorithms.ts";
import type { Signed } from "../../src/ca/keys/verify-signature.ts";
import type { KeyType } from "../../src/domain/definitions.ts";
import { leafKey, spkiOf } from "../fakes/ca.ts";

const KEY_TYPES: readonly KeyType[] = ["ECDSAP256", "ECDSAP384", "ECDSAP521", "RSA3072", "RSA4096", "ED25519"];
const TEXT = Buffer.from("what is signed \u00ff");

function signedBy(keyType: KeyType): Signed {
  const key = leafKey(keyType);
  const algorithm = algorithmOf(keyType);
  return {
    keyType,
    algorithm,
    spki: Buffer.from(spkiOf(key)),
    bytes: TEXT,
    signature: sign(algorithm.hash, TEXT, key),
  };
}

/** What is wrong with it, and what is wrong then. */
const WRONGS: readonly ((signed: Signed) => Signed)[] = [
  (signed) => ({ ...signed, bytes: Buffer.from("another text") }),
  (signed) => ({ ...signed, signature: Buffer.of() }),
  (signed) => ({ ...signed, spki: Buffer.from("no key") }),
  (signed) => ({ ...signed, algorithm: { hash: null, keys: signed.algorithm.keys === "ec" ? "rsa" : "ec" } }),
];

const failed = (reason: string): never => expect.fail(reason);

test("each of many that come together has its own answer, whatever the key", async () => {
  const verify = verifyInThread(failed);
  const asked = KEY_TYPES.map(signedBy).flatMap((good) => [
    { signed: good, good: true },
    ...WRONGS.map((wrong) => ({ signed: wrong(good), good: false })),
    { signed: good, good: true },
  ]);
  // More than go in one message.
  const many = [...asked, ...asked, ...asked];
  expect(await Promise.all(many.map(({ signed }) => verify(signed)))).toEqual(many.map(({ good }) => good));
});

test("what cannot be verified is not signed, and the next is verified", async () => {
  const verify = verifyInThread(failed);
  const good = signedBy("ECDSAP256");
  const odd = { ...good, algorithm: { ...good.algorithm, hash: "no-such-hash" } };
  expect(await Promise.all([verify(odd), verify(good)])).toEqual([false, true]);
  expect(await verify(good)).toBe(true);
});

test("what would hold others up for long never goes to the thread", async () => {
  const never = (): never => expect.fail("a thread was started");
  const verify = verifyInThread(failed, never);
  for (const keyType of ["ECDSAP384", "ECDSAP521"] as const) {
    const good = signedBy(keyType);
    const all = [good, ...WRONGS.map((wrong) => wrong(good))];
    expect(await Promise.all(all.map(verify))).toEqual(all.map((signed) => signed === good));
  }
});

const ENDS = "require('node:worker_threads').parentPort.once('message', () => process.exit(3))";

test.each<[string, () => Worker, string]>([
  ["ends", () => new Worker(ENDS, { eval: true }), "the thread ended"],
  ["fails", () => new Worker("throw new Error('broken')", { eval: true }), "Error: broken"],
  [
    "cannot be started",
    () => {
      throw new Error("no more threads");
    },
    "Error: no more threads",
  ],
])("a thread that %s is said to be lost, once, and the pool answers whoever waits or comes", async (_, start, why) => {
  const lost: string[] = [];
  const verify = verifyInThread((reason) => void lost.push(reason), start);
  const good = signedBy("ECDSAP256");
  const [other = failed("no wrong")] = WRONGS;
  // More than go in one message.
  const asked = Array.from({ length: 20 }, () => [good, other(good)]).flat();
  expect(await Promise.all(asked.map(verify))).toEqual(asked.map((signed) => signed === good));
  expect(await Promise.all([good, other(good)].map(verify))).toEqual([true, false]);
  expect(lost).toEqual([why]);
});
