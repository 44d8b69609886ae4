import type { Catalogue } from "../../domain/catalogue.ts";
import type { Judged } from "../../http/services.ts";
import type { Ledger } from "../../store/ledger.ts";
import type { KubeObject } from "../../wire/objects.ts";
import type { GrantSet } from "../../wire/grant.ts";
import { joinItems, renderItems } from "../../wire/snapshot-text.ts";
import { verdictEntry } from "../verdict-entry.ts";

/** Writes verdicts down, and each catalogue before the first verdict that was given by it. */
export type VerdictLog = {
  /** Takes note of what a new snapshot was made of. */
  readonly snapshot: (catalogue: Catalogue, objects: readonly KubeObject[], grants?: GrantSet) => void;
  readonly record: (judged: Judged) => void;
  /** Writes what waits. */
  readonly flush: () => void;
};

type Kept = { readonly revision: string; readonly objects: readonly KubeObject[]; readonly grants?: GrantSet };

/** How many snapshots may wait for a verdict by them: one may be given just as the next is made. */
const MOST_KEPT = 3;

/** The log over a ledger. Rendering a catalogue takes milliseconds, so all writing comes after the answer. */
export function makeVerdictLog(
  ledger: Pick<Ledger, "offer" | "remember">,
  requireApproval: boolean,
  later: (run: () => void) => void,
): VerdictLog {
  let kept: readonly Kept[] = [];
  let waiting: Judged[] = [];
  const remember = ({ revision, at }: Judged): void => {
    const found = kept.find((each) => each.revision === revision);
    if (!found) return;
    kept = kept.filter((each) => each !== found);
    ledger.remember({ digest: revision, text: textOf(found) }, at);
  };
  const flush = (): void => {
    const batch = waiting;
    waiting = [];
    for (const judged of batch) {
      remember(judged);
      const entry = verdictEntry(judged, requireApproval);
      if (entry) ledger.offer(entry);
    }
  };
  return {
    snapshot: ({ revision }, objects, grants) => {
      kept = [...kept, { revision, objects, ...(grants ? { grants } : {}) }].slice(-MOST_KEPT);
    },
    record: (judged) => {
      waiting.push(judged);
      if (waiting.length === 1) later(flush);
    },
    flush,
  };
}

/** A cluster's catalogue as the ledger stores it: each object stands under its own name. */
const textOf = ({ objects, grants }: Kept): string =>
  joinItems(
    objects.map((object) => [object.document.file, renderItems([object])]),
    grants,
  );
