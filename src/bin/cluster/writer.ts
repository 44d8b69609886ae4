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
import type { ClusterConfig } from "../../wire/cluster-config.ts";
import type { ServerConfig } from "../../wire/config.ts";
import { recordApprovals } from "./approvals.ts";
import { type Bell, makeBell } from "./bell.ts";
import { Federation, type LookOutcome } from "./federation/federation.ts";
import { lookAt } from "./federation/look.ts";
import { flagExceptions } from "./pods/flag-exceptions.ts";
import { followTemplates } from "./pods/template-round.ts";
import { makeMachineRound } from "./pods/machine-round.ts";
import { type PodFigures, PodRounds } from "./pods/pod-rounds.ts";
import type { PublishingFigures } from "./publishing/figures.ts";
import { type RunningPublisher, runPublisher } from "./publishing/run-publisher.ts";
import { scanDuties } from "./scan-duties.ts";
import { Scan } from "../../reconcile/scan/scan.ts";
import { scanPod } from "../../reconcile/scan/scan-pod.ts";
import { advanceServing } from "./serving-rollover.ts";
import type { ServingStore } from "./serving-store.ts";
import type { FederationReadings } from "../../http/services.ts";

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
  /** What publishing came to; only while this replica writes, and where something is published. */
  readonly publishing: () => PublishingFigures | undefined;
  /** How the bundles of other domains stand; only while this replica writes. */
  readonly federation: () => FederationReadings | undefined;
};

/** What the Pods that run came to, one by one and as a whole. */
export type WriterFigures = PodFigures & { readonly outcomes: ReturnType<Scan["counts"]> };

/** Rounds come this often where nothing happens, and at most so often where much does. */
const ROUND_MS = { idle: 1_000, least: 50 } as const;

/** Each duty looks at how things are and does what is missing; what fails is tried again in the next round. */
export function makeWriter(means: WriterMeans): Writer {
  const bells = { duties: makeBell(), policies: makeBell() };
  const onConcern = podTeller(means.events);
  const running: { rounds?: Rounds } = {};
  const looks = new Map<string, number>();
  const count = (outcome: LookOutcome): unknown => looks.set(outcome, (looks.get(outcome) ?? 0) + 1);
  const figures = (): WriterFigures | undefined =>
    running.rounds && { ...running.rounds.own.figures(), outcomes: running.rounds.scan.counts() };
  return {
    begin: (term) => void work({ ...means, onConcern, bells, running, count }, term),
    nudge: () => ringAll(bells),
    pods: figures,
    publishing: () => running.rounds?.publisher.figures(),
    federation: () => running.rounds && { ...running.rounds.federation.figures(), refreshes: looks },
  };
}

type Bells = Readonly<Record<"duties" | "policies", Bell>>;
type Rounds = {
  readonly own: PodRounds;
  readonly scan: Scan;
  readonly templates: ReturnType<typeof followTemplates>;
  readonly publisher: RunningPublisher;
  readonly federation: Federation;
};

type Work = WriterMeans & {
  readonly bells: Bells;
  readonly onConcern: (concern: Concern) => void;
  readonly count: (outcome: LookOutcome) => void;
  readonly running: { rounds?: Rounds };
};

const ringAll = ({ duties, policies }: Bells): void => {
  duties.ring();
  policies.ring();
};

/** One term. What it knows of Pods ends with it: the next one looks at them all. */
async function work(means: Work, term: Term): Promise<void> {
  const { bells, onConcern, running } = means;
  const pods = new LivePods({ ...means, onChange: () => ringAll(bells) });
  const scan = new Scan();
  const looking = lookingOf(means);
  const own = new PodRounds({
    ...looking,
    pods,
    onConcern,
    onLook: (pod) => scanPod(scan, pod),
    onGone: (uid) => scan.forget(uid),
  });
  const templates = followTemplates({ ...looking, scan, onChange: bells.duties.ring });
  pods.start();
  const publisher = runPublisher({ ...means, pods }, term, bells.policies);
  const federation = new Federation({ ...means, lookAt, onLook: bells.duties.ring }, term);
  const rounds = { own, scan, templates, publisher, federation };
  running.rounds = rounds;
  const duties = dutiesOf(means, term, rounds);
  while (term.valid()) {
    for (const duty of duties) await attempt(means.log, duty);
    await bells.duties.wait(ROUND_MS.least, ROUND_MS.idle, term.signal);
  }
  if (running.rounds === rounds) delete running.rounds;
  await Promise.all([publisher.ended, pods.stop(), templates.stop()]);
}

const lookingOf = (means: Work) => ({
  ...means,
  requireApproval: means.config.requireApproval,
  machines: means.machines(),
  now: Date.now,
});

function dutiesOf(means: Work, term: Term, { own, scan, templates, federation }: Rounds): readonly Duty[] {
  const tendMachines = makeMachineRound({ ...lookingOf(means), scan });
  return [
    ...servingDuty(means, term),
    ["approvals", () => recordApprovals(means, term)],
    ["keys of the trust domain", () => means.keys(term)],
    ["bundles of other domains", () => federation.tend()],
    ["machines", () => tendMachines(term)],
    ["pods", () => own.tend(term)],
    ["templates", templates.tend],
    ["exceptions", () => flagWhenKnown(means, own, term)],
    ...scanDuties(means, term, scan),
  ];
}

/** Nothing where somebody else keeps the serving certificate. */
const servingDuty = (means: WriterMeans, term: Term): readonly Duty[] =>
  means.cluster.certificateFolder === undefined ? [["serving authority", () => advanceServing(means, term)]] : [];

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
