import process from "node:process";
import type { Worker } from "node:worker_threads";
import { type Signed, type VerifySigned, verifyInPool } from "../../ca/keys/verify-signature.ts";
import type { KeyType } from "../../domain/definitions.ts";
import { startThread } from "../../store/thread.ts";
import type { Question } from "./verifying-worker.ts";

type Asked = { readonly signed: Signed; readonly answer: (good: boolean | Promise<boolean>) => void };

/**
 * Verifies in a thread of its own, which is there from the first signature on. What comes together goes to it in one message:
 * to hand each to Node's pool and to hear of each again costs the caller about as much as issuing does (decision 81). `lost`
 * hears, once, that the thread ended: what comes then is verified in the pool, as is always what would hold others up.
 */
export function verifyInThread(lost: (reason: string) => void, start = startVerifier): VerifySigned {
  const thread = new VerifyingThread(lost, start);
  return (signed) => (SLOW.has(signed.keyType) ? verifyInPool(signed) : thread.verify(signed));
}

/** On these curves a signature takes eight and sixteen times as long as on P-256. */
const SLOW: ReadonlySet<KeyType> = new Set<KeyType>(["ECDSAP384", "ECDSAP521"]);

const startVerifier = (): Worker =>
  startThread("verifying-worker", import.meta.url, {
    resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 },
  });

/** While the thread is at one message, its caller goes on with what the one before has answered. */
const MOST_TOGETHER = 32;

class VerifyingThread {
  readonly #lost: (reason: string) => void;
  readonly #begin: () => Worker;
  #worker: Worker | undefined;
  #ended = false;
  #waiting: Asked[] = [];
  #flying: Asked[] = [];

  constructor(lost: (reason: string) => void, begin: () => Worker) {
    this.#lost = lost;
    this.#begin = begin;
  }

  verify(signed: Signed): Promise<boolean> {
    if (this.#ended) return verifyInPool(signed);
    return new Promise((answer) => {
      this.#waiting.push({ signed, answer });
      // When all have asked that go on in this turn.
      if (this.#waiting.length === 1) process.nextTick(() => this.#send());
    });
  }

  #send(): void {
    if (this.#flying.length > 0 || this.#waiting.length === 0) return;
    try {
      const worker = (this.#worker ??= this.#start());
      this.#flying = this.#waiting.splice(0, MOST_TOGETHER);
      worker.ref();
      worker.postMessage(this.#flying.map(({ signed }) => questionOf(signed)) satisfies readonly Question[]);
    } catch (fault) {
      // No thread could be started, for instance.
      this.#died(String(fault));
    }
  }

  #start(): Worker {
    const worker = this.#begin();
    worker.on("message", (good: readonly boolean[]) => this.#answered(good));
    worker.on("error", (fault) => this.#died(String(fault)));
    worker.on("exit", () => this.#died("the thread ended"));
    return worker;
  }

  #answered(good: readonly boolean[]): void {
    const answered = this.#flying;
    this.#flying = [];
    this.#worker?.unref();
    for (const [index, { answer }] of answered.entries()) answer(good[index] === true);
    this.#send();
  }

  #died(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#lost(reason);
    for (const { signed, answer } of [...this.#flying, ...this.#waiting]) answer(verifyInPool(signed));
    [this.#flying, this.#waiting] = [[], []];
  }
}

const questionOf = ({ algorithm: { hash, keys }, spki, bytes, signature }: Signed): Question => [
  hash,
  keys,
  spki.toString("latin1"),
  bytes.toString("latin1"),
  signature.toString("latin1"),
];
