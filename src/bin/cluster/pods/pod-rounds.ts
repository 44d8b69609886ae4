import type { Terms } from "../../../admission/judge.ts";
import type { Lack } from "../../../admission/lacks.ts";
import type { Catalogue } from "../../../domain/catalogue.ts";
import { problemLine } from "../../../domain/problem.ts";
import type { ProblemCode } from "../../../domain/problem-codes.ts";
import type { LiveCatalogue } from "../../../kube/catalogue.ts";
import type { KubeClient } from "../../../kube/client.ts";
import type { Term } from "../../../kube/lease.ts";
import type { LivePods } from "../../../kube/live-pods.ts";
import type { Log } from "../../../kube/log.ts";
import { INSTANCES, type LiveMachines } from "../../../kube/machines.ts";
import { PODS } from "../../../kube/resources.ts";
import { Concerns } from "../../../reconcile/pods/concerns.ts";
import type { EndedException } from "../../../reconcile/pods/ended-exceptions.ts";
import type { PodAction } from "../../../reconcile/pods/missed.ts";
import { quarantinesText } from "../../../reconcile/policies/fingerprint.ts";
import { quarantineAction } from "../../../reconcile/pods/quarantined.ts";
import type { PodSeen } from "../../../reconcile/pods/seen.ts";
import { isRaw, type Raw, rawAt, textAt } from "../../../wire/read-object.ts";
import { seePod } from "./see-pod.ts";

/** What looking after Pods needs. */
export type PodRoundMeans = {
  readonly client: Pick<KubeClient, "patch">;
  readonly live: () => Pick<LiveCatalogue, "current" | "lookLive">;
  readonly machines: Pick<LiveMachines, "find" | "launches" | "changes">;
  readonly pods: Pick<LivePods, "objects" | "takeChanged" | "status">;
  readonly log: Log;
  readonly now: () => number;
  readonly requireApproval: boolean;
  /** Told of each concern that is new. */
  readonly onConcern: (concern: PodAction | EndedException) => void;
  /** Told of each Pod that was looked at, and of each that went. */
  readonly onLook?: (pod: PodSeen) => void;
  readonly onGone?: (uid: string) => void;
};

/** What the last looks found. */
export type PodFigures = {
  readonly watched: number;
  /** Pods without a valid stamp, by the reason. */
  readonly missed: ReadonlyMap<ProblemCode, number>;
  readonly mended: number;
  readonly beyondException: number;
};

/** So many Pods are judged at once; in between reviews get their turn. */
const SLICE = 200;
/** Every Pod is looked at again this often, for what ends by time alone. */
const FULL_LOOK_MS = 30_000;

/** Looks after the Pods that run, for one term: judges what changed, and all when the catalogue did, and mends. */
export class PodRounds {
  readonly #means: PodRoundMeans;
  readonly #concerns = new Concerns();
  readonly #waiting = new Set<string>();
  /** What could not be judged or mended, for the next round. */
  readonly #again = new Set<string>();
  #quarantines = "[]";
  #looked: { readonly revision: string; readonly machines: number; readonly at: number } | undefined;
  #mended = 0;

  constructor(means: PodRoundMeans) {
    this.#means = means;
  }

  /** One round. Does nothing until catalogue and Pods were seen whole. */
  async tend(term: Term): Promise<void> {
    const { live, pods } = this.#means;
    const catalogue = live().current();
    if (!catalogue || !pods.status().synced) return;
    this.#gather(catalogue);
    const asked = new Set<string>();
    try {
      await this.#cutOff(catalogue, term);
      while (this.#waiting.size > 0 && term.valid()) {
        await this.#slice(live().current() ?? catalogue, asked, term);
        await breath();
      }
    } catch (fault) {
      // What was under way is not known; the next round looks at everything.
      this.#looked = undefined;
      throw fault;
    }
  }

  figures(): PodFigures {
    return {
      watched: this.#means.pods.objects.size,
      missed: this.#concerns.missed(),
      mended: this.#mended,
      beyondException: this.#concerns.ended().length,
    };
  }

  /** Who runs beyond an exception's end; undefined until every Pod was looked at. */
  ended(): readonly EndedException[] | undefined {
    return this.#looked && this.#waiting.size === 0 ? this.#concerns.ended() : undefined;
  }

  #gather({ revision }: Catalogue): void {
    const { pods, now } = this.#means;
    const machines = this.#means.machines.changes();
    for (const uid of [...pods.takeChanged(), ...this.#again]) this.#waiting.add(uid);
    this.#again.clear();
    const looked = this.#looked;
    const wholly = looked?.revision !== revision || now() >= looked.at + FULL_LOOK_MS;
    if (!wholly && looked.machines === machines) return;
    this.#looked = { revision, machines, at: wholly ? now() : looked.at };
    for (const [uid, pod] of pods.objects) if (wholly || isLaunched(pod)) this.#waiting.add(uid);
  }

  /** Whom a new Restriction names is found before all else, and whom a lifted one named. */
  async #cutOff(catalogue: Catalogue, term: Term): Promise<void> {
    const text = quarantinesText(catalogue);
    if (text === this.#quarantines) return;
    for (const raw of this.#means.pods.objects.values()) {
      const seen = this.#see(catalogue, raw);
      if (seen && term.valid()) await this.#mark(catalogue, seen.pod, raw);
    }
    this.#quarantines = text;
  }

  async #mark(catalogue: Catalogue, pod: PodSeen, raw: Raw): Promise<void> {
    const action = quarantineAction(catalogue, pod, textAt(rawAt(raw, "spec"), "nodeName"));
    if (!action) return;
    const { client, log } = this.#means;
    const { namespace, name, uid } = action.object;
    const done = await client.patch(PODS, { namespace, name }, { type: "json", body: action.patch });
    if (done.ok)
      log.warn({ namespace, pod: name, did: action.do, why: action.why }, "A quarantine began or ended for a Pod.");
    else this.#again.add(uid);
  }

  async #slice(catalogue: Catalogue, asked: Set<string>, term: Term): Promise<void> {
    const { pods } = this.#means;
    const unsure: (readonly [Raw, readonly Lack[]])[] = [];
    const found: Found[] = [];
    for (const uid of first(this.#waiting, SLICE)) {
      this.#waiting.delete(uid);
      const raw = pods.objects.get(uid);
      const seen = raw && this.#see(catalogue, raw);
      if (seen && term.valid()) await this.#mark(catalogue, seen.pod, raw);
      if (!seen) this.#forget(uid);
      else if (seen.lacks.length > 0) unsure.push([raw, seen.lacks]);
      else found.push(...this.#look(seen.pod));
    }
    for (const [raw, lacks] of unsure) found.push(...(await this.#lookLive(raw, lacks, asked)));
    for (const one of found) if (term.valid()) await this.#act(one);
  }

  #look(pod: PodSeen): readonly Found[] {
    this.#means.onLook?.(pod);
    return this.#concerns.look(pod);
  }

  #forget(uid: string): void {
    this.#means.onGone?.(uid);
    this.#concerns.forget(uid);
  }

  #see(catalogue: Catalogue, raw: Raw) {
    const { now, requireApproval, log } = this.#means;
    const terms: Terms = { now: now(), requireApproval };
    const seen = seePod(catalogue, raw, terms, this.#means.machines);
    if (seen.ok) return seen.value;
    log.warn({ reason: seen.problems.map(problemLine) }, "A Pod cannot be read.");
    return undefined;
  }

  /** A stamp newer than the snapshot is judged by what the API server has now; each object is asked for once a round. */
  async #lookLive(raw: Raw, lacks: readonly Lack[], asked: Set<string>): Promise<readonly Found[]> {
    const { live } = this.#means;
    for (const { kind, name } of lacks)
      if (!asked.has(`${kind}/${name}`)) {
        asked.add(`${kind}/${name}`);
        await live().lookLive(kind, { name });
      }
    const catalogue = live().current();
    const seen = catalogue && this.#see(catalogue, raw);
    return seen ? this.#look(seen.pod) : [];
  }

  async #act({ concern, isNew }: Found): Promise<void> {
    const { namespace, name, uid } = concern.object;
    if (isNew) {
      const { code, why } = concern;
      this.#means.log.warn({ namespace, pod: name, did: concern.do, code, why }, "A Pod that runs is of concern.");
      this.#means.onConcern(concern);
    }
    if (concern.do === "stampPod" && !(await this.#stamp(concern))) this.#again.add(uid);
  }

  /** False where the Pod changed meanwhile, or the API server refused: the next round looks again. */
  async #stamp({ object, patch }: Stamping): Promise<boolean> {
    const { client, log } = this.#means;
    const { namespace, name } = object;
    const done = await client.patch(PODS, { namespace, name }, { type: "json", body: patch });
    if (done.ok) this.#mended += 1;
    else log.debug({ namespace, pod: name, reason: done.problems.map(problemLine) }, "A Pod was not stamped.");
    return done.ok;
  }
}

/** A change of an instance concerns its launchers alone. */
const isLaunched = (pod: Raw): boolean => {
  const owners = rawAt(pod, "metadata")["ownerReferences"];
  return Array.isArray(owners) && owners.some((owner: unknown) => isRaw(owner) && owner["kind"] === INSTANCES.kind);
};

type Found = ReturnType<Concerns["look"]>[number];
type Stamping = Extract<PodAction, { readonly do: "stampPod" }>;

function first(uids: ReadonlySet<string>, count: number): readonly string[] {
  const found: string[] = [];
  for (const uid of uids) if (found.push(uid) === count) break;
  return found;
}

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
