import type { IssuedCertificates } from "../../ca/issued-certificates.ts";
import { type PublishedLists, RevocationLists } from "../../ca/revocation-lists.ts";
import type { Vault } from "../../ca/vault.ts";
import type { Catalogue } from "../../domain/catalogue.ts";
import type { Instant } from "../../domain/instant.ts";
import type { Log } from "../../http/services.ts";
import type { Keys } from "./keys.ts";

/** What the lists are kept from. */
export type ListMeans = {
  readonly vault: Vault;
  readonly keys: Keys;
  readonly issued: IssuedCertificates;
  readonly catalogue: () => Catalogue | undefined;
  readonly now: () => Instant;
  readonly log: Pick<Log, "warn">;
  /** How soon after a Restriction a list names whom it concerns, in milliseconds. */
  readonly everyMs: number;
};

/** Revocation lists while the server runs. */
export type RunningLists = {
  readonly current: () => PublishedLists | undefined;
  readonly stop: () => void;
};

/** Keeps the lists as Restrictions say. A failure is logged and tried again; the last lists stay. */
export function runLists(means: ListMeans): RunningLists {
  const { vault, keys, issued, catalogue, log, everyMs } = means;
  const lists = new RevocationLists({
    vault,
    issuers: () => keys.authorities()?.trusted ?? [],
    above: () => keys.authorities()?.rootLists ?? [],
  });
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const turn = async (): Promise<void> => {
    const now = means.now();
    const [known, trusted] = [catalogue(), keys.authorities()?.trusted];
    // Without a catalogue nothing is known to be lifted.
    if (known && trusted) {
      const { restrictions } = known.definitions;
      const authorities = trusted.map(({ facts }) => ({ id: facts.keyId, notAfter: facts.window.notAfter }));
      await lists.advance({ now, restrictions, named: (target) => issued.named(target, now), authorities });
    }
  };
  const again = (): void => {
    if (stopped) return;
    timer = setTimeout(() => void round(), everyMs);
    timer.unref();
  };
  const round = (): Promise<void> =>
    turn()
      .catch((fault: unknown) =>
        log.warn({ err: fault }, "The revocation lists could not be written; the last ones stay."),
      )
      .then(again);
  again();
  return {
    current: () => lists.current(),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
