import type { Term } from "../../../kube/lease.ts";
import { LivePolicies } from "../../../kube/live-policies.ts";
import { reasonOf } from "../../../kube/log.ts";
import type { WatchMeans } from "../../../kube/watch.ts";
import { type AddressSet, NO_ADDRESSES, parseCidr, setOf, uniteAddresses } from "../../../policy/sets/address-set.ts";
import type { ClusterConfig } from "../../../wire/cluster-config.ts";
import type { Bell } from "../bell.ts";
import type { PublishingFigures } from "./figures.ts";
import { Publisher, type PublisherMeans } from "./publisher.ts";
import { PUBLISHING_TABLES } from "./tables.ts";

type Means = WatchMeans &
  Omit<PublisherMeans, "policies" | "podNetworks" | "now"> & {
    readonly client: ConstructorParameters<typeof LivePolicies>[0]["client"];
    readonly cluster: Pick<ClusterConfig, "podNetworks">;
  };

/** Publishing for one term; it goes on beside the other duties of whoever writes, since what it writes may be much. */
export type RunningPublisher = {
  readonly figures: () => PublishingFigures | undefined;
  /** Resolves when the term is over and nothing is under way. */
  readonly ended: Promise<void>;
};

/** Rounds come this often where nothing happens, and at most so often where much does. */
const ROUND_MS = { idle: 1_000, least: 50 } as const;

/** Publishes as long as the term lasts; the bell calls for a round at once. */
export function runPublisher(means: Means, term: Term, bell: Bell): RunningPublisher {
  const policies = new LivePolicies({ ...means, tables: PUBLISHING_TABLES, onChange: bell.ring });
  const podNetworks = networksOf(means.cluster);
  const publisher = new Publisher({ ...means, policies, podNetworks, now: Date.now }, term);
  const run = async (): Promise<void> => {
    while (term.valid()) {
      await publisher
        .tend()
        .catch((fault: unknown) =>
          means.log.warn({ reason: reasonOf(fault) }, "Policies could not be published; it is tried again."),
        );
      await bell.wait(ROUND_MS.least, ROUND_MS.idle, term.signal);
    }
    await policies.stop();
  };
  return { figures: () => publisher.figures(), ended: run() };
}

/** The networks that the configuration names, as a set of addresses. */
const networksOf = ({ podNetworks }: Pick<ClusterConfig, "podNetworks">): AddressSet =>
  podNetworks
    .flatMap(({ text }) => parseCidr(text) ?? [])
    .map(setOf)
    .reduce<AddressSet>(uniteAddresses, NO_ADDRESSES);
