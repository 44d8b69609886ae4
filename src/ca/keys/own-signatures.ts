import { createPublicKey } from "node:crypto";
import type { SigningKey } from "./signing-key.ts";
import { verifySignature } from "./verify-signature.ts";

/** Whether a signature over octets is good. */
export type Verify = (bytes: Uint8Array, signature: Uint8Array) => Promise<boolean>;

/**
 * Looks again at what a key has signed. What comes from elsewhere is verified each time. A key in this process's memory signs
 * by the same code that verifies: of its signatures one is verified at any time, and those that come meanwhile stand and fall
 * with that one, since verifying takes three times as long as signing (decision 81).
 */
export function verifierOf({ algorithm, spki, inMemory }: SigningKey): Verify {
  const key = createPublicKey({ key: spki, format: "der", type: "spki" });
  const verify: Verify = (bytes, signature) => verifySignature(algorithm, key, bytes, signature);
  return inMemory ? oneAtATime(verify) : verify;
}

function oneAtATime(verify: Verify): Verify {
  let underWay: Promise<boolean> | undefined;
  return (bytes, signature) =>
    (underWay ??= verify(bytes, signature).finally(() => {
      underWay = undefined;
    }));
}
