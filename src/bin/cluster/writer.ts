import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import type { LiveCatalogue } from "../../kube/catalogue.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Term } from "../../kube/lease.ts";
import { type Log, reasonOf } from "../../kube/log.ts";
import type { ClusterConfig } from "../../wire/config.ts";
import { recordApprovals } from "./approvals.ts";
import { makeBell } from "./bell.ts";
import { advanceServing } from "./serving-rollover.ts";
import type { ServingStore } from "./serving-store.ts";

/** What the one replica that writes does its work with. */
export type WriterMeans = {
  readonly client: KubeClient;
  readonly store: ServingStore;
  readonly cluster: ClusterConfig;
  readonly log: Log;
  readonly live: () => LiveCatalogue;
};

/** The loop that writes while this replica holds the Lease. */
export type Writer = {
  readonly begin: (term: Term) => void;
  /** Something has changed: the next round comes at once. */
  readonly nudge: () => void;
};

/** Rounds come this often where nothing happens, and at most so often where much does. */
const ROUND_MS = { idle: 1_000, least: 50 } as const;

/** Each duty looks at how things are and does what is missing; what fails is tried again in the next round. */
export function makeWriter(means: WriterMeans): Writer {
  const bell = makeBell();
  const duties: readonly (readonly [string, (term: Term) => Promise<void>])[] = [
    ["serving authority", (term) => advanceServing(means, term)],
    ["approvals", (term) => recordApprovals(means, term)],
  ];
  const work = async (term: Term): Promise<void> => {
    while (term.valid()) {
      for (const [name, duty] of duties)
        await duty(term).catch((fault: unknown) =>
          means.log.warn(
            { duty: name, namespace: SIGNET_NAMESPACE, reason: reasonOf(fault) },
            "A duty could not be done; it is tried again.",
          ),
        );
      await bell.wait(ROUND_MS.least, ROUND_MS.idle, term.signal);
    }
  };
  return { begin: (term) => void work(term), nudge: bell.ring };
}
