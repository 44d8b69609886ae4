import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import type { LiveCatalogue } from "../../kube/catalogue.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { EventRecorder } from "../../kube/events.ts";
import type { Term } from "../../kube/lease.ts";
import { LivePods } from "../../kube/live-pods.ts";
import { type Log, reasonOf } from "../../kube/log.ts";
import type { LiveMachines } from "../../kube/machines.ts";
import type { WatchMeans } from "../../kube/watch.ts";
import { EventBudget, podEvent } from "../../reconcile/events.ts";
import type { Concern } from "../../reconcile/pods/concerns.ts";
import type { ClusterConfig, ServerConfig } from "../../wire/config.ts";
import { recordApprovals } from "./approvals.ts";
import { makeBell } from "./bell.ts";
import { flagExceptions } from "./pods/flag-exceptions.ts";
import { makeMachineRound } from "./pods/machine-round.ts";
import { type PodFigures, PodRounds } from "./pods/pod-rounds.ts";
import { scanDuties } from "./scan-duties.ts";
import { Scan } from "../../reconcile/scan/scan.ts";
import { scanPod } from "../../reconcile/scan/scan-pod.ts";
import { advanceServing } from "./serving-rollover.ts";
import type { ServingStore } from "./serving-store.ts";

/** What the one replica that writes does its work with. */
export type WriterMeans = Pick<WatchMeans, "connection" | "clock" | "random"> & {
  readonly client: KubeClient;
  readonly store: ServingStore;
  readonly cluster: ClusterConfig;
  readonly log: Log;
  readonly live: () => LiveCatalogue;
  readonly machines: () => LiveMachines;
  readonly config: Pick<ServerConfig, "requireApproval">;
  /** Makes and turns the keys of the trust domain, and publishes its bundle. */
  readonly keys: (term: Term) => Promise<void>;
  readonly events: Pick<EventRecorder, "emit">;
};

/** The loop that writes while this replica holds the Lease. */
export type Writer = {
  readonly begin: (term: Term) => void;
  /** Something has changed: the next round comes at once. */
  readonly nudge: () => void;
  /** What is known of the Pods that run; only while this replica writes. */
  readonly pods: () => WriterFigures | undefined;
};

/** What the Pods that run came to, one by one and as a whole. */
export type WriterFigures = PodFigures & { readonly outcomes: ReturnType<Scan["counts"]> };

/** Rounds come this often where nothing happens, and at most so often where much does. */
const ROUND_MS = { idle: 1_000, least: 50 } as const;

/** Each duty looks at how things are and does what is missing; what fails is tried again in the next round. */
export function makeWriter(means: WriterMeans): Writer {
  const bell = makeBell();
  const onConcern = podTeller(means.events);
  let rounds: { readonly own: PodRounds; readonly scan: Scan } | undefined;
  const work = async (term: Term): Promise<void> => {
    // What a term knows of Pods ends with it: the next one looks at them all.
    const pods = new LivePods({ ...means, onChange: bell.ring });
    const { requireApproval } = means.config;
    const looking = { ...means, requireApproval, machines: means.machines(), now: Date.now };
    const scan = new Scan();
    const own = new PodRounds({
      ...looking,
      pods,
      onConcern,
      onLook: (pod) => scanPod(scan, pod),
      onGone: (uid) => scan.forget(uid),
    });
    const tendMachines = makeMachineRound(looking);
    rounds = { own, scan };
    pods.start();
    const ownAuthority = means.cluster.certificateFolder === undefined;
    const duties: readonly Duty[] = [
      ...(ownAuthority ? [["serving authority", () => advanceServing(means, term)] as const] : []),
      ["approvals", () => recordApprovals(means, term)],
      ["keys of the trust domain", () => means.keys(term)],
      ["machines", () => tendMachines(term)],
      ["pods", () => own.tend(term)],
      ["exceptions", () => flagWhenKnown(means, own, term)],
      ...scanDuties(means, term, scan),
    ];
    while (term.valid()) {
      for (const duty of duties) await attempt(means.log, duty);
      await bell.wait(ROUND_MS.least, ROUND_MS.idle, term.signal);
    }
    if (rounds?.own === own) rounds = undefined;
    await pods.stop();
  };
  const figures = (): WriterFigures | undefined =>
    rounds && { ...rounds.own.figures(), outcomes: rounds.scan.counts() };
  return { begin: (term) => void work(term), nudge: bell.ring, pods: figures };
}

/** Says on a Pod what is wrong with it, but not that its labels followed an approved edit. */
function podTeller(events: WriterMeans["events"]): (concern: Concern) => void {
  const budget = new EventBudget();
  return (concern) => {
    const event = concern.do === "stampPod" && !concern.missed ? undefined : podEvent(budget, concern, Date.now());
    if (event) events.emit(event);
  };
}

/** Until all Pods were looked at nobody knows which exceptions were outlived. */
async function flagWhenKnown(means: WriterMeans, rounds: PodRounds, term: Term): Promise<void> {
  const ended = rounds.ended();
  if (ended) await flagExceptions(means, ended, term);
}

type Duty = readonly [name: string, run: () => Promise<void>];

const attempt = (log: Log, [duty, run]: Duty): Promise<void> =>
  run().catch((fault: unknown) =>
    log.warn(
      { duty, namespace: SIGNET_NAMESPACE, reason: reasonOf(fault) },
      "A duty could not be done; it is tried again.",
    ),
  );
