import { createPublicKey } from "node:crypto";
import type { SigningKey } from "./signing-key.ts";
import { verifySignature } from "./verify-signature.ts";

/** Whether a signature over octets is good. */
export type Verify = (bytes: Uint8Array, signature: Uint8Array) => Promise<boolean>;

/**
 * Looks again at what a key has signed. What comes from elsewhere is verified each time. A key in this process's memory signs
 * by the same code that verifies, and verifying takes three times as long: of what it signs together, and of what it signs
 * while that is being verified, the newest signature stands for all (decision 81).
 */
export function verifierOf({ algorithm, spki, inMemory }: SigningKey): Verify {
  const key = createPublicKey({ key: spki, format: "der", type: "spki" });
  const verify: Verify = (bytes, signature) => verifySignature(algorithm, key, bytes, signature);
  return inMemory ? newestForAll(verify) : verify;
}

type Waiting = { readonly signed: Parameters<Verify>; readonly answer: (good: Promise<boolean>) => void };

/** Nobody is answered by a verification of what was signed before. */
function newestForAll(verify: Verify): Verify {
  let waiting: Waiting[] = [];
  let underWay = false;
  const next = (): void => {
    const newest = waiting.at(-1);
    if (underWay || !newest) return;
    const good = verify(...newest.signed);
    for (const { answer } of waiting) answer(good);
    waiting = [];
    underWay = true;
    const ended = (): void => {
      underWay = false;
      next();
    };
    good.then(ended, ended);
  };
  return (...signed) =>
    new Promise((answer) => {
      waiting.push({ signed, answer });
      // When all have signed that do so now.
      queueMicrotask(next);
    });
}
