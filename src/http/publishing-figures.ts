import type { Instant } from "../domain/instant.ts";
import type { MetricName } from "./metrics-table.ts";
import type { PublishingReadings } from "./services.ts";

/** A figure that is read when it is asked for: one number, or one for each set of labels. */
export type Reading = number | readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];

type Figure = readonly [name: MetricName, read: () => Reading];

/** Figures that another part of the server keeps. */
export type Figures = { readonly gauges: readonly Figure[]; readonly counters: readonly Figure[] };

/** The figures of publishing; where nothing is published there is none, not a 0. */
export function publishingFigures(readings: () => PublishingReadings | undefined, now: () => Instant): Figures {
  const read = (of: (publishing: PublishingReadings) => Reading) => (): Reading => {
    const publishing = readings();
    return publishing ? of(publishing) : [];
  };
  const overdue = ({ overdueSince }: PublishingReadings): Reading =>
    alone(overdueSince === undefined ? 0 : (now() - overdueSince) / 1000);
  return {
    gauges: [
      ["signet_policy_objects", read(objects)],
      ["signet_policy_blocked", read(blocked)],
      ["signet_policy_compile_seconds", read(({ compileMs }) => alone(compileMs / 1000))],
      ["signet_policy_overdue_seconds", read(overdue)],
      ["signet_policy_fought_objects", read(({ fought }) => alone(fought))],
    ],
    counters: [
      ["signet_policy_writes_total", read(writes)],
      ["signet_policy_mended_total", read(({ mended }) => alone(mended))],
    ],
  };
}

const alone = (value: number): Reading => [[{}, value]];

const objects = (publishing: PublishingReadings): Reading =>
  [...publishing.objects].flatMap(([target, { wanted, active }]) => [
    [{ target, state: "wanted" }, wanted] as const,
    [{ target, state: "active" }, active] as const,
  ]);

const blocked = ({ blocking }: PublishingReadings): Reading =>
  blocking.size === 0 ? [[{ code: "all" }, 0]] : [...blocking].map(([code, count]) => [{ code }, count] as const);

const writes = ({ writes: { apply, delete: removed } }: PublishingReadings): Reading => [
  [{ verb: "apply" }, apply],
  [{ verb: "delete" }, removed],
];
