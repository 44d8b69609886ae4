import type { Instant } from "../domain/instant.ts";
import { problemLine } from "../domain/problem.ts";
import type { EventAction } from "../reconcile/events.ts";
import { type Raw, rawAt, textAt } from "../wire/read-object.ts";
import type { KubeClient } from "./client.ts";
import type { Clock } from "./clock.ts";
import { type Log, reasonOf } from "./log.ts";
import type { Resource } from "./resources.ts";

/** Events as kubectl shows them beside an object (events.k8s.io/v1). */
export const EVENTS: Resource = {
  group: "events.k8s.io",
  version: "v1",
  plural: "events",
  kind: "Event",
  namespaced: true,
};

/** What a recorder of Events needs, and as whom it speaks. */
export type EventMeans = {
  readonly client: Pick<KubeClient, "create" | "patch">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Name of this replica, at most 128 characters. */
  readonly instance: string;
};

const CONTROLLER = "signet.dev/signet";
/** What comes again within this time is counted on the first Event, as Kubernetes' own recorders do. */
const SERIES_MS = 6 * 60_000;
/** Events that may wait to be written; what comes while so many wait is dropped and counted. */
const MOST_WAITING = 256;
const MOST_SERIES = 1024;

type Series = { readonly namespace: string; readonly name: string; readonly count: number; readonly at: number };

/**
 * Writes Events one after another, without anybody waiting for it. The same about the same object within six minutes
 * becomes a count on the first. An Event that cannot be written is dropped: it is a courtesy, the verdict stands elsewhere.
 */
export class EventRecorder {
  readonly #means: EventMeans;
  readonly #series = new Map<string, Series>();
  readonly #counts = { written: 0, dropped: 0 };
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(means: EventMeans) {
    this.#means = means;
  }

  /** Takes an Event to be written; never waits, never fails. */
  emit(action: EventAction): void {
    if (this.#waiting >= MOST_WAITING) {
      this.#counts.dropped += 1;
      return;
    }
    this.#waiting += 1;
    this.#last = this.#last.then(() => this.#write(action)).finally(() => (this.#waiting -= 1));
  }

  /** Resolves when all that was taken has been written or dropped. */
  settled(): Promise<void> {
    return this.#last;
  }

  /** Events written, and those dropped, since the start. */
  counts(): { readonly written: number; readonly dropped: number } {
    return { ...this.#counts };
  }

  async #write(action: EventAction): Promise<void> {
    try {
      const again = this.#running(action);
      const counted = again !== undefined && (await this.#count(action, again));
      if (counted || (await this.#create(action))) this.#counts.written += 1;
      else this.#counts.dropped += 1;
    } catch (fault) {
      this.#counts.dropped += 1;
      this.#means.log.debug({ reason: reasonOf(fault) }, "An Event was not written.");
    }
  }

  #running(action: EventAction): Series | undefined {
    const found = this.#series.get(keyOf(action));
    return found && this.#means.clock.monotonic() - found.at < SERIES_MS ? found : undefined;
  }

  /** False where the first Event is gone by now. */
  async #count(action: EventAction, before: Series): Promise<boolean> {
    const count = before.count + 1;
    const series = { count, lastObservedTime: microTime(this.#means.clock.wall()) };
    const done = await this.#means.client.patch(EVENTS, before, { type: "merge", body: { series } });
    if (done.ok) this.#remember(action, { ...before, count });
    return done.ok;
  }

  async #create(action: EventAction): Promise<boolean> {
    const { client, clock, log } = this.#means;
    const made = await client.create(EVENTS, this.#eventOf(action));
    if (made.ok) {
      const metadata = rawAt(made.value, "metadata");
      const [namespace, name] = [textAt(metadata, "namespace") ?? "", textAt(metadata, "name") ?? ""];
      this.#remember(action, { namespace, name, count: 1, at: clock.monotonic() });
    } else log.debug({ reason: made.problems.map(problemLine) }, "An Event was not written.");
    return made.ok;
  }

  #remember(action: EventAction, series: Series): void {
    const key = keyOf(action);
    this.#series.delete(key);
    this.#series.set(key, series);
    const [oldest] = this.#series.keys();
    if (this.#series.size > MOST_SERIES && oldest !== undefined) this.#series.delete(oldest);
  }

  #eventOf({ regarding, type, reason, action, note }: EventAction): Raw {
    const { clock, random, instance } = this.#means;
    const unique = random().toString(36).slice(2, 14).padEnd(2, "0");
    const apiVersion = API_VERSIONS[regarding.kind];
    return {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { namespace: regarding.namespace, name: `${regarding.name.slice(0, 200)}.${unique}` },
      eventTime: microTime(clock.wall()),
      reportingController: CONTROLLER,
      reportingInstance: instance.slice(0, 128),
      regarding: { ...(apiVersion === undefined ? {} : { apiVersion }), ...regarding },
      type,
      reason,
      action,
      note,
    };
  }
}

/** As Kubernetes tells series apart: the note may differ, as the names of refused Pods do. */
const keyOf = ({ regarding, reason, action }: EventAction): string => `${regarding.uid} ${reason} ${action}`;

/** Kubernetes' MicroTime: six digits after the second. */
const microTime = (instant: Instant): string => new Date(instant).toISOString().replace("Z", "000Z");

/** So that `kubectl events --for` finds them; other kinds are found by name and UID. */
const API_VERSIONS: Readonly<Record<string, string>> = {
  Pod: "v1",
  ReplicationController: "v1",
  ReplicaSet: "apps/v1",
  Deployment: "apps/v1",
  StatefulSet: "apps/v1",
  DaemonSet: "apps/v1",
  Job: "batch/v1",
  CronJob: "batch/v1",
};
