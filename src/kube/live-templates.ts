import { templateEssence } from "../wire/workloads/template-essence.ts";
import type { Raw } from "../wire/read-object.ts";
import { type Log } from "./log.ts";
import { uidOf } from "./object-cache.ts";
import type { Resource } from "./resources.ts";
import { Reflector, type WatchMeans } from "./watch.ts";

const resource = (group: string, version: string, kind: string, plural = `${kind.toLowerCase()}s`): Resource => ({
  group,
  version,
  plural,
  kind,
  namespaced: true,
});

/** What people write and controllers make Pods and machines of. What controllers make on the way speaks for nobody else. */
export const TEMPLATES: readonly Resource[] = [
  resource("apps", "v1", "Deployment"),
  resource("apps", "v1", "StatefulSet"),
  resource("apps", "v1", "DaemonSet"),
  resource("batch", "v1", "CronJob"),
  resource("kubevirt.io", "v1", "VirtualMachine"),
  resource("kubevirt.io", "v1", "VirtualMachineInstanceReplicaSet"),
  resource("pool.kubevirt.io", "v1beta1", "VirtualMachinePool"),
  resource("serving.knative.dev", "v1", "Service"),
];

/** What a watch of templates needs, and whom it wakes. */
export type TemplateMeans = WatchMeans & {
  /** Called when one came, changed or went; must not block. */
  readonly onChange?: () => void;
};

/**
 * The cluster's templates as last seen, and which of them nobody has looked at since. A kind that a cluster does not have is
 * asked for again every half minute, said only at the level debug, and nothing waits for it.
 */
export class LiveTemplates {
  readonly #reflectors: readonly Reflector[];
  readonly #changed = new Set<string>();

  constructor(means: TemplateMeans) {
    const changed = ({ object }: { readonly object: Raw }): void => {
      this.#changed.add(uidOf(object));
      means.onChange?.();
    };
    const quiet: Log = { ...means.log, warn: (fields, sentence) => means.log.debug(fields, sentence) };
    this.#reflectors = TEMPLATES.map(
      (each) => new Reflector({ resource: each, strip: templateEssence }, { ...means, log: quiet }, { changed }),
    );
  }

  start(): void {
    for (const reflector of this.#reflectors) reflector.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }

  /** UIDs of all that is there. */
  uids(): readonly string[] {
    return this.#reflectors.flatMap(({ objects }) => [...objects.keys()]);
  }

  /** The object with this UID; undefined where it went. */
  find(uid: string): Raw | undefined {
    for (const { objects } of this.#reflectors) {
      const found = objects.get(uid);
      if (found) return found;
    }
    return undefined;
  }

  /** UIDs of what came, changed or went since the last call. */
  takeChanged(): ReadonlySet<string> {
    const taken = new Set(this.#changed);
    this.#changed.clear();
    return taken;
  }
}
