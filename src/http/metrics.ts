import { performance } from "node:perf_hooks";
import process from "node:process";
import { Counter, Gauge, Registry } from "prom-client";
import type { ProblemCode } from "../domain/problem-codes.ts";
import { copyFigures } from "./copy-figures.ts";
import { federationFigures } from "./federation-figures.ts";
import { type MetricName, METRICS } from "./metrics-table.ts";
import { type Figures, publishingFigures, type Reading } from "./publishing-figures.ts";
import type { PodReadings, Services, Webhook } from "./services.ts";
import { Buckets, Tally } from "./tallies.ts";

/** How a review ended. */
export type Outcome = "admit" | "warn" | "deny" | "skip" | "unreadable";

/** What the server counts as it goes. */
export type Meters = {
  readonly reviewed: (webhook: Webhook, outcome: Outcome, seconds: number) => void;
  readonly problems: (codes: readonly ProblemCode[]) => void;
  readonly refused: (route: Webhook | "other", status: number) => void;
  readonly clientError: (layer: "http" | "tls") => void;
  /** Prometheus' text format, and its content type. */
  readonly render: () => Promise<string>;
  readonly contentType: string;
};

const SECONDS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1];

const CATALOGUE_LISTS = [
  "segments",
  "roles",
  "namespaces",
  "policies",
  "guardrails",
  "exceptions",
  "externalWorkloads",
  "restrictions",
] as const;

type Reader = { readonly services: Services; readonly ready: () => boolean; readonly connections: () => number };

/** Meters with a registry of their own, so that two servers in one process don't share figures. */
export function makeMeters(reader: Reader, version: string): Meters {
  const registry = new Registry();
  addGauges(registry, reader, version);
  addIssuing(registry, reader.services);
  addCluster(registry, reader);
  for (const figures of partsOf(reader.services)) addFigures(registry, figures);
  addProcess(registry);
  const tallies = {
    reviews: tally(registry, "signet_reviews_total"),
    problems: tally(registry, "signet_review_problems_total"),
    refusals: tally(registry, "signet_http_refusals_total"),
    clientErrors: tally(registry, "signet_client_errors_total"),
  };
  const timers = { mutate: new Buckets(SECONDS), validate: new Buckets(SECONDS) };
  return {
    reviewed: (webhook, outcome, took) => {
      tallies.reviews.add(`${webhook} ${outcome}`);
      timers[webhook].observe(took);
    },
    problems: (codes) => {
      for (const code of codes) tallies.problems.add(code);
    },
    refused: (route, status) => tallies.refusals.add(`${route} ${status}`),
    clientError: (layer) => tallies.clientErrors.add(layer),
    render: async () => `${await registry.metrics()}\n${timesText(timers)}${identityTimes(reader.services)}`,
    contentType: registry.contentType,
  };
}

/** Written by hand: the registry's own histogram is too slow for every review. */
function timesText(timers: Readonly<Record<Webhook, Buckets>>): string {
  const name = "signet_review_seconds";
  const { help, type } = METRICS[name];
  const series = (["mutate", "validate"] as const).map((each) => timers[each].render(name, `webhook="${each}"`));
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${series.join("")}`;
}

function identityTimes({ issuing }: Services): string {
  const name = "signet_time_to_identity_seconds";
  const { help, type } = METRICS[name];
  const series = issuing?.times.render(name, 'door="podCertificateRequest"');
  return series === undefined ? "" : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${series}`;
}

function addIssuing(registry: Registry, { issuing }: Services): void {
  if (!issuing) return;
  readCounter(registry, "signet_issuance_total", () => issuing.answers.readings());
  readGauge(registry, "signet_issuance_pending", issuing.pending);
  readGauge(registry, "signet_expiry_timestamp_seconds", () =>
    issuing.ends().map(({ what, id, at }) => [{ what, id }, at / 1000]),
  );
  readGauge(registry, "signet_rotation_stage", () => {
    const stage = issuing.stage();
    return stage === undefined ? [] : [[{ stage }, 1]];
  });
}

/** A counter of the registry that is read from a tally. */
function tally(registry: Registry, name: MetricName): Tally {
  const made = new Tally(Object.keys(METRICS[name].labels));
  readCounter(registry, name, () => made.readings());
  return made;
}

const described = (name: MetricName) => ({
  name,
  help: METRICS[name].help,
  labelNames: Object.keys(METRICS[name].labels),
});

function readGauge(registry: Registry, name: MetricName, read: () => Reading): void {
  const gauge: Gauge = new Gauge({
    ...described(name),
    registers: [registry],
    collect: () => {
      const reading = read();
      gauge.reset();
      if (typeof reading === "number") gauge.set(reading);
      else for (const [labels, value] of reading) gauge.set(labels, value);
    },
  });
}

/** A counter that another part of the server keeps. */
function readCounter(registry: Registry, name: MetricName, read: () => Reading): void {
  const counted: Counter = new Counter({
    ...described(name),
    registers: [registry],
    collect: () => {
      const reading = read();
      counted.reset();
      if (typeof reading === "number") counted.inc(reading);
      else for (const [labels, value] of reading) counted.inc(labels, value);
    },
  });
}

function addGauges(registry: Registry, { services, ready, connections }: Reader, version: string): void {
  const { catalogue, readings } = services;
  readGauge(registry, "signet_connections", connections);
  readGauge(registry, "signet_ready", () => Number(ready()));
  readGauge(registry, "signet_build_info", () => [[{ version, node: process.version }, 1]]);
  readGauge(registry, "signet_catalogue_info", () => {
    const known = catalogue();
    return known ? [[{ revision: known.revision.slice(0, 12) }, 1]] : [];
  });
  readGauge(registry, "signet_catalogue_objects", () =>
    CATALOGUE_LISTS.map((kind) => [{ kind }, catalogue()?.definitions[kind].length ?? 0]),
  );
  readGauge(registry, "signet_catalogue_broken", () => Number(readings().catalogueBroken));
  readGauge(registry, "signet_catalogue_read_timestamp_seconds", () => readings().catalogueReadAt / 1000);
  readCounter(registry, "signet_catalogue_reads_total", () => {
    const { good, broken } = readings().catalogueReads;
    return [
      [{ result: "good" }, good],
      [{ result: "broken" }, broken],
    ];
  });
  readGauge(registry, "signet_ledger_queue_records", () => readings().ledgerQueued);
  readCounter(registry, "signet_ledger_records_total", () => readings().ledgerWritten);
  readCounter(registry, "signet_ledger_dropped_total", () => readings().ledgerDropped);
  readCounter(registry, "signet_ledger_failures_total", () => readings().ledgerFailures);
  readGauge(registry, "signet_ledger_failing", () => Number(readings().ledgerFailing));
  readGauge(
    registry,
    "signet_serving_certificate_expiry_timestamp_seconds",
    () => readings().certificateNotAfter / 1000,
  );
}

/** What only a server in a cluster has; figures of Pods only where it looks after them: those of others would mean nothing. */
function addCluster(registry: Registry, { services }: Reader): void {
  const read = (reading: (pods: PodReadings) => number) => (): Reading => {
    const { pods } = services.readings();
    return pods ? [[{}, reading(pods)]] : [];
  };
  readCounter(registry, "signet_events_total", () => {
    const { events } = services.readings();
    return events ? Object.entries(events).map(([result, count]) => [{ result }, count]) : [];
  });
  readGauge(
    registry,
    "signet_pods",
    read(({ watched }) => watched),
  );
  readGauge(
    registry,
    "signet_pods_beyond_exception",
    read(({ beyondException }) => beyondException),
  );
  readCounter(
    registry,
    "signet_pods_mended_total",
    read(({ mended }) => mended),
  );
  readGauge(
    registry,
    "signet_pods_missed",
    read(({ missed }) => [...missed.values()].reduce((sum, count) => sum + count, 0)),
  );
  readGauge(registry, "signet_pods_outcomes", () =>
    Object.entries(services.readings().pods?.outcomes ?? {}).map(([outcome, count]) => [{ outcome }, count]),
  );
  readGauge(registry, "signet_pods_missed_reasons", () =>
    [...(services.readings().pods?.missed ?? [])].map(([code, count]) => [{ code }, count]),
  );
}

/** Figures of parts that a server may lack: then there is no figure, not a 0. */
const partsOf = ({ readings, now }: Services): readonly Figures[] => [
  copyFigures(() => readings().ledgerCopy),
  publishingFigures(() => readings().publishing, now),
  federationFigures(() => readings().federation),
];

function addFigures(registry: Registry, { gauges, counters }: Figures): void {
  for (const [name, read] of gauges) readGauge(registry, name, read);
  for (const [name, read] of counters) readCounter(registry, name, read);
}

function addProcess(registry: Registry): void {
  const started = Math.round((performance.timeOrigin / 1000) * 1000) / 1000;
  let last = performance.eventLoopUtilization();
  readGauge(registry, "process_start_time_seconds", () => started);
  readGauge(registry, "process_resident_memory_bytes", () => process.memoryUsage.rss());
  readCounter(registry, "process_cpu_seconds_total", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  readGauge(registry, "nodejs_eventloop_utilization", () => {
    const now = performance.eventLoopUtilization();
    const share = performance.eventLoopUtilization(now, last).utilization;
    last = now;
    return share;
  });
}
