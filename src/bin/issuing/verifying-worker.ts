import { parentPort } from "node:worker_threads";
import { isSigned, type Signed } from "../../ca/keys/verify-signature.ts";

/** What is asked about one signature: hash, keys, and the octets of key, text and signature, which as text are copied fastest. */
export type Question = readonly [
  hash: string | null,
  keys: Signed["algorithm"]["keys"],
  spki: string,
  bytes: string,
  signature: string,
];

const octets = (text: string): Buffer => Buffer.from(text, "latin1");

/** What cannot be verified is not signed, as in Node's pool: one question never ends the thread for all. */
function answerTo([hash, keys, spki, bytes, signature]: Question): boolean {
  try {
    return isSigned({
      algorithm: { hash, keys },
      spki: octets(spki),
      bytes: octets(bytes),
      signature: octets(signature),
    });
  } catch {
    return false;
  }
}

parentPort?.on("message", (asked: readonly Question[]) => parentPort?.postMessage(asked.map(answerTo)));
