import { hashOf, type Head, type LedgerRecord, NO_HASH, type StartBody } from "./chain.ts";
import { NOTHING, type SealedHead } from "./sealed-head.ts";

/** What `verify` found: how much there is, and the first record that is not as it was written. */
export type Verification = {
  readonly chains: number;
  readonly records: number;
  readonly head?: Head;
  readonly broken?: { readonly chain: number; readonly seq: number; readonly why: string };
};

/** Walks all records of a ledger in their order, and stops at the first that is not as it was written. */
export class ChainWalk {
  readonly #heads: readonly (SealedHead | undefined)[];
  readonly #hasSnapshot: (digest: string) => boolean;
  readonly #reached = new Set<SealedHead>();
  #chains = 0;
  #records = 0;
  #last: Head | undefined;
  #key = "";
  #broken: Verification["broken"];

  /** Heads that the walk must come to; an absent one is a finding. */
  constructor(heads: readonly (SealedHead | undefined)[], hasSnapshot: (digest: string) => boolean) {
    this.#heads = heads;
    this.#hasSnapshot = hasSnapshot;
  }

  /** False where the record is broken: there is nothing to be learnt behind it. */
  step(record: LedgerRecord): boolean {
    const { chain, seq } = record;
    const why = whyBroken(this.#last, record) ?? this.#whyLess(record);
    if (why === undefined) this.#take(record);
    else this.#broken = { chain, seq, why };
    return why === undefined;
  }

  #take({ chain, seq, hash, body }: LedgerRecord): void {
    if (seq === 0) this.#key = startOf(body)?.key ?? "";
    if (chain !== this.#last?.chain) this.#chains += 1;
    this.#records += 1;
    this.#last = { chain, seq, hash };
    for (const head of this.#heads)
      if (head && isSame(head, this.#last) && head.key === this.#key) this.#reached.add(head);
  }

  /** A record that itself is whole, and says that something else is not there. */
  #whyLess({ kind, body }: LedgerRecord): string | undefined {
    if (kind === "catalogue") {
      const digest = digestOf(body);
      if (digest !== undefined && !this.#hasSnapshot(digest)) return `snapshot ${digest.slice(0, 12)} is missing`;
    }
    if (kind !== "start") return undefined;
    const lost = startOf(body)?.lost;
    if (lost === null) return "no signed head could be read when it began: records may have been lost";
    return lost && `records were missing when it began: a signed head said ${lost.chain}/${lost.seq}`;
  }

  /** What was found; `stray` is what is wrong beside the records. */
  found(stray?: string): Verification {
    const last = this.#last;
    const { chain, seq } = last ?? NOTHING;
    const why = stray ?? this.#whyShort();
    const broken = this.#broken ?? (why === undefined ? undefined : { chain, seq, why });
    return {
      chains: this.#chains,
      records: this.#records,
      ...(last && { head: last }),
      ...(broken && { broken }),
    };
  }

  #whyShort(): string | undefined {
    for (const head of this.#heads) {
      if (!head) return "there is no signed head beside the ledger that can be read";
      if (head.chain > 0 && !this.#reached.has(head))
        return `records behind it are missing: a signed head says ${head.chain}/${head.seq}`;
    }
    return undefined;
  }
}

const isSame = (a: Head, b: Head): boolean => a.chain === b.chain && a.seq === b.seq && a.hash === b.hash;

/** Why a record cannot stand behind the one before it; undefined where it can. */
function whyBroken(last: Head | undefined, record: LedgerRecord): string | undefined {
  if (last && record.chain === last.chain) return whyNotNext(last.seq + 1, last.hash, record);
  if (record.chain !== (last?.chain ?? 0) + 1) return "a whole chain is missing before it";
  return whyNotNext(0, NO_HASH, record) ?? whyNotJoined(last, record);
}

function whyNotNext(seq: number, hashBefore: string, record: LedgerRecord): string | undefined {
  if (record.seq !== seq) return `a record is missing: ${seq} was expected here`;
  return hashOf(hashBefore, record, record) === record.hash ? undefined : "it is not what was written";
}

/** Undefined where the body is not what a start says: whoever can make a hash can close anything with it. */
function startOf(body: string): Partial<StartBody> | undefined {
  try {
    return (JSON.parse(body) as Partial<StartBody> | null) ?? undefined;
  } catch {
    return undefined;
  }
}

function digestOf(body: string): string | undefined {
  try {
    const { digest } = JSON.parse(body) as { readonly digest?: unknown };
    return typeof digest === "string" ? digest : undefined;
  } catch {
    return undefined;
  }
}

function whyNotJoined(last: Head | undefined, { kind, body }: LedgerRecord): string | undefined {
  if (kind !== "start") return "the chain's first record is missing";
  const previous = startOf(body)?.previous;
  const placeOf = (head: Head | null | undefined): string => (head ? `${head.chain}/${head.seq} ${head.hash}` : "");
  if (placeOf(previous) === placeOf(last)) return undefined;
  return "the chain before it does not end where this one says it did";
}
