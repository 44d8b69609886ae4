import type { Figures, Reading } from "./publishing-figures.ts";
import type { FederationReadings } from "./services.ts";

/** The figures of federation; in a replica that fetches nothing there is none, not a 0. */
export function federationFigures(readings: () => FederationReadings | undefined): Figures {
  const read = (of: (federation: FederationReadings) => Reading) => (): Reading => {
    const federation = readings();
    return federation ? of(federation) : [];
  };
  return {
    gauges: [
      ["signet_federation_domains", read(({ domains }) => labelled("state", Object.entries(domains)))],
      ["signet_federation_bundle_age_seconds", read(({ ages }) => labelled("trust_domain", ages))],
      [
        "signet_federation_bundle_expiry_timestamp_seconds",
        read(({ ends }) =>
          labelled(
            "trust_domain",
            [...ends].map(([name, at]) => [name, at / 1000] as const),
          ),
        ),
      ],
    ],
    counters: [["signet_federation_refreshes_total", read(({ refreshes }) => labelled("outcome", refreshes))]],
  };
}

const labelled = (label: string, values: Iterable<readonly [string, number]>): Reading =>
  [...values].map(([value, figure]) => [{ [label]: value }, figure] as const);
