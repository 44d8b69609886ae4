import type { Launching, Owner, Workload } from "../domain/workload.ts";
import type { KubeObject } from "../wire/objects.ts";
import { type Raw, rawAt, textAt } from "../wire/read-object.ts";
import { readWorkload } from "../wire/workloads.ts";
import { instanceEssence } from "../wire/workloads/template-essence.ts";
import type { KubeClient } from "./client.ts";
import { liveObject } from "./live-object.ts";
import { type Log, reasonOf } from "./log.ts";
import { uidOf } from "./object-cache.ts";
import type { Resource } from "./resources.ts";
import { Reflector, type WatchMeans, type WatchTable } from "./watch.ts";

/** VirtualMachineInstances of KubeVirt. */
export const INSTANCES: Resource = {
  group: "kubevirt.io",
  version: "v1",
  plural: "virtualmachineinstances",
  kind: "VirtualMachineInstance",
  namespaced: true,
};

/** What is kept of an instance: who it is, and what of its spec and status a verdict hangs on. */
const TABLE: WatchTable = { resource: INSTANCES, strip };

function strip(instance: Raw): Raw {
  const { apiVersion, kind } = instance;
  const { activePods, phase } = rawAt(instance, "status");
  return { apiVersion, kind, ...instanceEssence(instance), status: { activePods, phase } };
}

/** What following the instances needs. */
export type MachineMeans = WatchMeans & {
  readonly client: Pick<KubeClient, "get">;
  /** How long one look at the API server may take, in milliseconds. */
  readonly lookMs: number;
  /** Called after each change; must not block. */
  readonly onChange?: () => void;
};

/**
 * The instances of a cluster, as last seen. A cluster without KubeVirt has no such kind: that is asked again every half
 * minute, said only at the level debug, and nothing waits for it.
 */
export class LiveMachines {
  readonly #means: MachineMeans;
  readonly #reflector: Reflector;
  readonly #read = new WeakMap<Raw, Workload>();
  #changes = 0;

  constructor(means: MachineMeans) {
    this.#means = means;
    const changed = (): void => {
      this.#changes += 1;
      means.onChange?.();
    };
    this.#reflector = new Reflector(TABLE, { ...means, log: quiet(means.log) }, { changed });
  }

  start(): void {
    this.#reflector.start();
  }

  stop(): Promise<void> {
    return this.#reflector.stop();
  }

  /** Every instance, as last seen. */
  objects(): readonly KubeObject[] {
    return [...this.#reflector.objects.values()].map(liveObject);
  }

  /** How many changes were seen; the same number means the same instances. */
  changes(): number {
    return this.#changes;
  }

  /** Whether an instance's status names a Pod, by UID, as one that launches it. */
  launches(machine: string, pod: string): boolean {
    const raw = this.#reflector.objects.get(machine);
    return raw !== undefined && activePods(raw).includes(pod);
  }

  /** The instance that a controller reference names, if it is known here. */
  find(namespace: string, { name, uid }: Pick<Owner, "name" | "uid">): Workload | undefined {
    const raw = this.#reflector.objects.get(uid);
    if (raw === undefined) return undefined;
    const known = this.#read.get(raw) ?? asWorkload(raw);
    if (known === undefined || known.namespace !== namespace || known.object.name !== name) return undefined;
    this.#read.set(raw, known);
    return known;
  }

  /** Asks the API server for an instance; `unknown` where it does not answer in time, or not as expected. */
  async look(namespace: string, { name, uid }: Pick<Owner, "name" | "uid">): Promise<LookedUp> {
    const late = new Promise<LookedUp>((resolve) =>
      this.#means.clock.after(this.#means.lookMs, () => resolve(UNKNOWN)),
    );
    return Promise.race([this.#ask(namespace, name, uid), late]);
  }

  async #ask(namespace: string, name: string, uid: string): Promise<LookedUp> {
    try {
      const found = await this.#means.client.get(INSTANCES, { namespace, name });
      if (!found.ok) return found.problems.some(({ code }) => code === "NOT_FOUND") ? NONE : UNKNOWN;
      if (uidOf(found.value) !== uid) return NONE;
      return { machine: asWorkload(strip(found.value)) ?? "unknown", launchers: activePods(found.value) };
    } catch (fault) {
      this.#means.log.warn({ namespace, name, reason: reasonOf(fault) }, "An instance could not be looked up.");
      return UNKNOWN;
    }
  }
}

/** An instance as the API server has it now, and the Pods, by UID, that its status names as those that launch it. */
export type LookedUp = { readonly machine: Launching["machine"]; readonly launchers: readonly string[] };

const UNKNOWN: LookedUp = { machine: "unknown", launchers: [] };
const NONE: LookedUp = { machine: "none", launchers: [] };

const activePods = (raw: Raw): readonly string[] => Object.keys(rawAt(rawAt(raw, "status"), "activePods"));

/** What KubeVirt admitted and Signet cannot read is unknown, not absent. */
function asWorkload(raw: Raw): Workload | undefined {
  const read = readWorkload(liveObject(raw), { namespace: textAt(rawAt(raw, "metadata"), "namespace") ?? "" });
  return read.ok ? read.value : undefined;
}

/** A kind that is not installed is no reason to warn. */
const quiet = (log: Log): Log => ({ ...log, warn: (fields, sentence) => log.debug(fields, sentence) });
