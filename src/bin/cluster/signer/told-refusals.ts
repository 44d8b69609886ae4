import type { IssueParts } from "../../../ca/issue.ts";

type Recording = IssueParts["record"];

/**
 * Which refusals of a request the ledger has. A request that waits is refused at every look, and anybody's Pod can wait for
 * ever: the ledger hears of each reason once, not once a minute.
 */
export class ToldRefusals {
  readonly #codes = new Map<string, Set<string>>();

  /** The ledger for one look at a request, by its UID: a refusal whose code it durably has for this request is left out. */
  recordFor(uid: string, record: Recording): Recording {
    return async (line) => {
      if (line.outcome !== "refused") return record(line);
      const codes = this.#codes.get(uid) ?? new Set();
      if (codes.has(line.code)) return;
      await record(line);
      this.#codes.set(uid, codes.add(line.code));
    };
  }

  /** Nothing is left to be done about the request. */
  forget(uid: string): void {
    this.#codes.delete(uid);
  }
}
