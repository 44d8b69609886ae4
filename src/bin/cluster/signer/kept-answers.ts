import type { Instant } from "../../../domain/instant.ts";
import type { Answer } from "./answer.ts";

/** What an answer stands on: the request's revision, and the key identifier of the authority that signs. */
type Ground = { readonly revision: string; readonly authority: string | undefined; readonly now: Instant };

/** The API server takes no certificate that began more than five minutes ago, and ours begin two before they are issued. */
const KEPT_MS = 120_000;

/**
 * Certificates that were issued and not written yet: where the API server refuses a status, or cannot be reached, the same one
 * is handed in again. Another for each try would fill the ledger with certificates that nobody holds.
 */
export class KeptAnswers {
  readonly #kept = new Map<string, { readonly ground: string; readonly until: Instant; readonly answer: Answer }>();
  #turn = 0;

  /** The answer to a request, by its UID; made where there is none on the same ground. */
  async answerTo(uid: string, { revision, authority, now }: Ground, make: () => Promise<Answer>): Promise<Answer> {
    const ground = `${this.#turn} ${revision} ${authority ?? ""}`;
    const known = this.#kept.get(uid);
    if (known?.ground === ground && now < known.until) return known.answer;
    this.#kept.delete(uid);
    const answer = await make();
    if (answer.do === "write" && answer.outcome === "issued")
      this.#kept.set(uid, { ground, until: now + KEPT_MS, answer });
    return answer;
  }

  /** Nothing is left to be done about the request. */
  forget(uid: string): void {
    this.#kept.delete(uid);
  }

  /** Definitions or restrictions have changed: whoever was entitled may not be any more, one whose answer is being made too. */
  forgetAll(): void {
    this.#turn += 1;
    this.#kept.clear();
  }
}
