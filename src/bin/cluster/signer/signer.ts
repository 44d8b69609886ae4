import type { IssueParts } from "../../../ca/issue.ts";
import type { KubeClient } from "../../../kube/client.ts";
import { liveObject } from "../../../kube/live-object.ts";
import { reasonOf } from "../../../kube/log.ts";
import { uidOf, versionOf, withoutManagedFields } from "../../../kube/object-cache.ts";
import { podCertificates } from "../../../kube/signer-watches.ts";
import { Reflector, type WatchMeans } from "../../../kube/watch.ts";
import type { EventRecorder } from "../../../kube/events.ts";
import { problemLine } from "../../../domain/problem.ts";
import { EventBudget } from "../../../reconcile/events.ts";
import { waitingEvent } from "../../../reconcile/certificates/waiting.ts";
import { awaitsUs, type PodCertificateAsk, readPodCertificate } from "../../../wire/pod-certificate.ts";
import type { Raw } from "../../../wire/read-object.ts";
import type { AccountPods } from "./account-pods.ts";
import { type Answer, answerAsk, type AnswerParts, DOOR } from "./answer.ts";
import { KeptAnswers } from "./kept-answers.ts";
import { Queue } from "./queue.ts";
import { ToldRefusals } from "./told-refusals.ts";
import { WaitingRequests } from "./waiting-requests.ts";
import { makeWitness } from "./witness.ts";

/** What a signer of Pods' certificates works with. */
export type SignerMeans = WatchMeans & {
  readonly walk: IssueParts;
  readonly client: KubeClient;
  readonly pods: Pick<AccountPods, "get">;
  /** The version of PodCertificateRequest that is watched. */
  readonly version: string;
  /** Whether this replica answers at once; the others answer what nobody answered for a while. */
  readonly first: () => boolean;
  /** Tells Pods why they wait. */
  readonly events: Pick<EventRecorder, "emit">;
  /** Hears of each answer: how it ended, why, and milliseconds since the request was made. */
  readonly told: (outcome: "issued" | "denied" | "pending", reason: string, ageMs: number) => void;
};

/** The signer of a replica. */
export type Signer = {
  readonly stop: () => Promise<void>;
  /** What waits is looked at again: definitions, restrictions or authorities have changed. */
  readonly hurry: () => void;
  /** Requests that wait for an answer of ours. */
  readonly pending: () => number;
};

/** Answers under way at one time: enough to fill the ledger's groups and the API server's connections. */
const AT_ONCE = 64;
/** How long the others leave a request to the replica that answers first, and how far apart they then begin. */
const LEFT_MS = { least: 2_000, spread: 2_000 } as const;

/** Follows requests for our signer and answers each once; what cannot be answered yet stays pending, and its Pod is told why. */
export function runSigner(means: SignerMeans): Signer {
  const witness = makeWitness(means, means.client, means.pods);
  const refusals = new ToldRefusals();
  const budget = new EventBudget();
  const waiting = new WaitingRequests();
  const kept = new KeptAnswers();
  const work = async (uid: string): Promise<number | undefined> => {
    const raw = requests.objects.get(uid);
    const parts = { ...means.walk, record: refusals.recordFor(uid, means.walk.record), witness };
    const settling = { ...means, parts, budget, waiting, kept };
    const done = raw === undefined || !awaitsUs(raw) || (await settle(raw, settling));
    if (!done) return waiting.again(uid);
    waiting.forget(uid);
    refusals.forget(uid);
    kept.forget(uid);
    return undefined;
  };
  const queue: Queue = new Queue(AT_ONCE, means.clock.monotonic, work);
  const requests: Reflector = new Reflector(podCertificates(means.version), means, {
    changed: ({ type, object }) => {
      if (type === "removed" || !awaitsUs(object)) return;
      waiting.saw(object, means.clock.wall());
      queue.add(uidOf(object), means.first() ? 0 : laterMs(means.random));
    },
  });
  witness.start();
  requests.start();
  return {
    stop: async () => {
      queue.stop();
      await Promise.all([requests.stop(), witness.stop()]);
    },
    hurry: () => {
      kept.forgetAll();
      queue.hurry();
    },
    pending: () => queue.size,
  };
}

const laterMs = (random: () => number): number => LEFT_MS.least + random() * LEFT_MS.spread;

type Settling = SignerMeans & {
  readonly parts: AnswerParts;
  readonly budget: EventBudget;
  readonly waiting: WaitingRequests;
  readonly kept: KeptAnswers;
};

/** Answers one request; gives whether nothing is left to be done about it. */
async function settle(raw: Raw, means: Settling): Promise<boolean> {
  const ask = readPodCertificate(liveObject(raw));
  if (!ask.ok) {
    means.log.error(
      { door: DOOR, problems: ask.problems.map(problemLine) },
      "A request cannot be read; it stays pending.",
    );
    return true;
  }
  try {
    const { kept, parts, walk } = means;
    const ground = { revision: versionOf(raw), authority: walk.lookup().issuer?.facts.keyId, now: walk.now() };
    const answer = await kept.answerTo(uidOf(raw), ground, () => answerAsk(ask.value, parts));
    return await carryOut(answer, raw, ask.value, means);
  } catch (fault) {
    const { namespace, pod } = ask.value;
    means.log.warn({ namespace, pod: pod.name, reason: reasonOf(fault) }, "A request could not be answered yet.");
    means.told("pending", "Fault", ageOf(raw, means));
    return false;
  }
}

async function carryOut(answer: Answer, raw: Raw, ask: PodCertificateAsk, means: Settling): Promise<boolean> {
  if (answer.do === "wait") {
    means.told("pending", answer.reason, ageOf(raw, means));
    const event = waitingEvent(means.budget, ask, answer, means.clock.wall());
    if (event) means.events.emit(event);
    return false;
  }
  const { resource } = podCertificates(means.version);
  const answered = { ...withoutManagedFields(raw), status: answer.status };
  const written = await means.client.update(resource, answered, { subresource: "status" });
  if (written.ok) {
    means.told(answer.outcome, answer.reason, ageOf(raw, means));
    return true;
  }
  return refusedWrite(
    written.problems.map(({ code }) => code),
    () => {
      const reason = written.problems.map(problemLine);
      means.log.error({ namespace: ask.namespace, pod: ask.pod.name, reason }, "The API server refused an answer.");
    },
  );
}

/** Gone, or answered by another replica: its watch event tells. Anything else is tried again. */
function refusedWrite(codes: readonly string[], tell: () => void): boolean {
  if (codes.every((code) => code === "NOT_FOUND" || code === "API_CONFLICT")) return true;
  tell();
  return false;
}

const ageOf = (raw: Raw, { clock, waiting }: Settling): number => waiting.waited(raw, clock.wall());
