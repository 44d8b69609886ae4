import { sign } from "node:crypto";
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
  return { algorithm, spki: Buffer.from(spkiOf(key)), bytes: TEXT, signature: sign(algorithm.hash, TEXT, key) };
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

const said = (settled: PromiseSettledResult<boolean>): unknown =>
  settled.status === "fulfilled" ? settled.value : (settled.reason as Error).message;

test("when the thread is lost, which is said once, those who wait and those who come are answered all the same", async () => {
  const lost: string[] = [];
  const verify = verifyInThread((reason) => void lost.push(reason));
  const good = signedBy("ECDSAP256");
  const [other = failed("no wrong")] = WRONGS;
  const fatal = { ...good, algorithm: { ...good.algorithm, hash: "no-such-hash" } };
  const all = async () => (await Promise.allSettled([good, fatal, other(good)].map(verify))).map(said);
  expect(await all()).toEqual([true, "Invalid digest: no-such-hash", false]);
  expect(await all()).toEqual([true, "Invalid digest: no-such-hash", false]);
  expect(lost).toEqual(["TypeError: Invalid digest: no-such-hash"]);
});
