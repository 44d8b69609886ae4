import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { hostname } from "node:os";
import process from "node:process";
import { refuseAll, type Result } from "../../domain/problem.ts";
import type { Check, Services } from "../../http/services.ts";
import { LiveCatalogue } from "../../kube/catalogue.ts";
import { makeKubeClient } from "../../kube/client.ts";
import { systemClock } from "../../kube/clock.ts";
import { makeClusterClock } from "../../kube/cluster-clock.ts";
import { readClusterAccess } from "../../kube/config.ts";
import { type Connection, makeConnection } from "../../kube/connection.ts";
import { LiveMachines } from "../../kube/machines.ts";
import { LEASE } from "../../wire/manifests/names.ts";
import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import { EventRecorder } from "../../kube/events.ts";
import { makeLeaseStore } from "../../kube/lease-record.ts";
import { Elector, type Term } from "../../kube/lease.ts";
import type { ClusterConfig } from "../../wire/cluster-config.ts";
import type { ServerConfig } from "../../wire/config.ts";
import type { Started } from "../server.ts";
import {
  ledgerChecks,
  ledgerReadings,
  logOf,
  openOwnLedger,
  ownProfiles,
  startProblem,
  VERSION,
} from "../server-parts.ts";
import type { ClusterIssuing } from "./issuing/issuing.ts";
import { openFace } from "../issuing/open-face.ts";
import { type Base, issuingOf, keeperOf, meansOf, type Parts, servingOf } from "./replica-parts.ts";
import { catalogueCheck } from "./catalogue-check.ts";
import { grantChecks, watchGrants } from "../grant-folder.ts";
import { makeRefusals } from "./refusals.ts";
import { keepCertificate } from "./serving-keeper.ts";
import { runServing, type ServingLoop } from "./serving-loop.ts";
import { makeServingStore } from "./serving-store.ts";
import { readLive } from "./read-live.ts";
import { makeVerdictLog, type VerdictLog } from "./verdict-log.ts";
import { makeWriter, type Writer } from "./writer.ts";

/** Starts a replica in a cluster: gives it running, though not ready before every watch has seen its collection. */
export async function startCluster(config: ServerConfig, cluster: ClusterConfig): Promise<Result<Started>> {
  const log = logOf(config);
  const { kubeconfig } = cluster;
  const grants = await watchGrants(config.grants, { log });
  if (!grants.ok) return grants;
  const access = await readClusterAccess({ env: process.env, ...(kubeconfig === undefined ? {} : { kubeconfig }) });
  if (!access.ok) return access;
  const { heard, now } = makeClusterClock(systemClock);
  const connection = makeConnection(access.value, { clock: systemClock, userAgent: `signet/${VERSION}`, heard });
  let step = "state";
  try {
    mkdirSync(config.state, { recursive: true, mode: 0o700 });
    step = "ledger";
    const ledger = await openOwnLedger(config, log);
    step = "serving certificate";
    const base = { config, cluster, log, ledger, connection, now, ...(grants.value ? { grants: grants.value } : {}) };
    const store = makeServingStore(makeKubeClient(connection));
    const first = await keepCertificate(keeperOf(base, store), undefined);
    const profiles = ownProfiles();
    step = "listen";
    return { ok: true, value: await assemble({ ...base, store, first, profiles }) };
  } catch (fault) {
    grants.value?.close();
    connection.close();
    return refuseAll([startProblem(step, config, fault)]);
  }
}

async function assemble(parts: Parts): Promise<Started> {
  const { config, log, ledger, connection } = parts;
  const verdicts = makeVerdictLog(ledger, config.requireApproval, setImmediate);
  const identity = `${hostname()}-${randomUUID()}`;
  const client = makeKubeClient(connection);
  const events = new EventRecorder({ ...meansOf(connection, log), client, instance: hostname() });
  const issuing = issuingOf(parts, { live: () => feed.live, first: () => elector.term() !== undefined, events });
  const writer = makeWriter({
    ...meansOf(connection, log),
    ...parts,
    client,
    events,
    live: () => feed.live,
    machines: () => feed.machines,
    keys: issuing.advance,
  });
  const feed = follow(parts, verdicts, () => {
    writer.nudge();
    issuing.hurry();
  });
  let serving: ServingLoop | undefined;
  const services = makeServices({ parts, ...feed, verdicts, writer, events, issuing, serving: () => serving });
  const http = openFace({ ...parts, services, pair: parts.first, issuing });
  feed.start();
  issuing.start();
  const port = await http.listen(config.host, config.port);
  log.info({ host: config.host, port, version: VERSION }, "The server listens.");
  serving = runServing({ ...servingOf(parts, port), http });
  const elector = stand(parts, identity, writer.begin);
  const after = ending({ serving, feed, issuing, verdicts, events, connection });
  return {
    running: { config, log, http, ledger, before: () => elector.stop(), after },
    told: `Signet listens at https://${config.host}:${port}; /readyz says when it is ready.\n`,
  };
}

type Ending = {
  readonly serving: ServingLoop;
  readonly feed: Feed;
  readonly issuing: ClusterIssuing;
  readonly verdicts: VerdictLog;
  readonly events: EventRecorder;
  readonly connection: Connection;
};

/** What follows the drain: nobody asks any more, so what feeds verdicts may go. */
const ending =
  ({ serving, feed, issuing, verdicts, events, connection }: Ending) =>
  async (): Promise<void> => {
    serving.stop();
    await Promise.all([feed.stop(), issuing.stop()]);
    verdicts.flush();
    await events.settled();
    connection.close();
  };

type Feed = {
  readonly machines: LiveMachines;
  readonly live: LiveCatalogue;
  readonly reads: { count: number; at: number };
  readonly start: () => void;
  readonly stop: () => Promise<void>;
};

/** Follows the API server; each snapshot is counted, kept for the ledger, and wakes whoever writes. */
function follow({ log, connection, grants }: Base, verdicts: VerdictLog, nudge: () => void): Feed {
  const reads = { count: 0, at: Date.now() };
  const live: LiveCatalogue = new LiveCatalogue({
    ...meansOf(connection, log),
    client: makeKubeClient(connection),
    ...(grants ? { grants: grants.current } : {}),
    onSnapshot: (catalogue) => {
      reads.count += 1;
      reads.at = Date.now();
      verdicts.snapshot(catalogue, live.objects(), grants?.current());
      nudge();
      log.debug({ revision: catalogue.revision.slice(0, 12) }, "The catalogue has changed.");
    },
  });
  grants?.onChange(() => live.remake());
  const machines = new LiveMachines({
    ...meansOf(connection, log),
    client: makeKubeClient(connection),
    lookMs: LOOK_MS,
    onChange: nudge,
  });
  return {
    live,
    machines,
    reads,
    start: () => {
      live.start();
      machines.start();
    },
    stop: async () => {
      grants?.close();
      await Promise.all([live.stop(), machines.stop()]);
    },
  };
}

/** Stands for election under a name that no other start has. */
function stand({ connection, log }: Base, identity: string, onTerm: (term: Term) => void): Elector {
  const elector = new Elector({
    ...meansOf(connection, log),
    store: makeLeaseStore(connection, { namespace: SIGNET_NAMESPACE, name: LEASE }),
    identity,
    onTerm,
  });
  elector.start();
  return elector;
}

type Fed = {
  readonly parts: Parts;
  readonly live: LiveCatalogue;
  readonly machines: LiveMachines;
  readonly verdicts: VerdictLog;
  readonly reads: { readonly count: number; readonly at: number };
  readonly writer: Writer;
  readonly events: EventRecorder;
  readonly issuing: Pick<ClusterIssuing, "signer" | "figures">;
  readonly serving: () => ServingLoop | undefined;
};

const machineServices = ({ cluster }: Parts, machines: LiveMachines): NonNullable<Services["machines"]> => ({
  virtControllers: new Set(cluster.virtControllers),
  find: (namespace, owner) => machines.find(namespace, owner),
  launches: (machine, pod) => machines.launches(machine, pod),
  look: (namespace, owner) => machines.look(namespace, owner),
});

function makeServices(fed: Fed): Services {
  const { parts, live, machines, verdicts, reads, writer, events, issuing, serving } = fed;
  const { config, ledger, log, first, connection } = parts;
  const tellOwner = makeRefusals({ client: makeKubeClient(connection), log, events });
  return {
    catalogue: () => live.current(),
    freshen: (lacks) => readLive(live, lacks),
    superseded: (stamp) => live.superseded(stamp),
    machines: machineServices(parts, machines),
    now: Date.now,
    requireApproval: config.requireApproval,
    deliver: () => ({ podCertificate: issuing.signer.on() }),
    issuing: issuing.figures,
    record: (judged) => {
      verdicts.record(judged);
      tellOwner(judged);
    },
    checks: () => [
      catalogueCheck(live),
      ...grantChecks(parts.grants),
      ...(serving()?.checks() ?? [NOT_YET]),
      ...ledgerChecks(ledger),
    ],
    readings: () => ({
      catalogueReadAt: reads.at,
      catalogueBroken: live.unreadable().length > 0,
      catalogueReads: { good: reads.count, broken: 0 },
      ...ledgerReadings(ledger),
      certificateNotAfter: (serving()?.current() ?? first).notAfter,
      pods: writer.pods(),
      publishing: writer.publishing(),
      federation: writer.federation(),
      events: events.counts(),
    }),
    log,
  };
}

/** How long a review may wait for an instance that no watch has brought yet, in milliseconds. */
const LOOK_MS = 250;

const NOT_YET: Check = { name: "self-probe", ok: false, detail: "not called yet" };
