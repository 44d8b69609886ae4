import { podEssence } from "../wire/workloads/pod-essence.ts";
import type { Raw } from "../wire/read-object.ts";
import type { WatchStatus } from "./mirror.ts";
import { uidOf } from "./object-cache.ts";
import { PODS } from "./resources.ts";
import { Reflector, type WatchMeans, type WatchTable } from "./watch.ts";

/** All Pods of the cluster, with nothing kept of them but what a verdict reads. */
export const POD_WATCH: WatchTable = { resource: PODS, strip: podEssence };

/** What a watch of Pods needs, and whom it wakes. */
export type PodMeans = WatchMeans & {
  /** Called when a Pod came, changed or went; must not block. */
  readonly onChange?: () => void;
};

/** The cluster's Pods as last seen, and which of them nobody has looked at since. */
export class LivePods {
  readonly #reflector: Reflector;
  readonly #changed = new Set<string>();

  constructor(means: PodMeans) {
    this.#reflector = new Reflector(POD_WATCH, means, {
      changed: ({ object }) => {
        this.#changed.add(uidOf(object));
        means.onChange?.();
      },
    });
  }

  start(): void {
    this.#reflector.start();
  }

  stop(): Promise<void> {
    return this.#reflector.stop();
  }

  /** The Pods by UID. */
  get objects(): ReadonlyMap<string, Raw> {
    return this.#reflector.objects;
  }

  /** UIDs of what came, changed or went since the last call; one that is no longer in `objects` went. */
  takeChanged(): ReadonlySet<string> {
    const taken = new Set(this.#changed);
    this.#changed.clear();
    return taken;
  }

  status(): WatchStatus {
    return this.#reflector.status();
  }
}
