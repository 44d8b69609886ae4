import { liveObject } from "../../../kube/live-object.ts";
import { uidOf } from "../../../kube/object-cache.ts";
import { PODS } from "../../../kube/signer-watches.ts";
import { Reflector, type WatchMeans } from "../../../kube/watch.ts";
import { type PodFacts, readPodFacts } from "../../../wire/pod-facts.ts";
import { type Raw, rawAt, textAt } from "../../../wire/read-object.ts";

/** The cluster's Pods as last seen, found by UID or by account. */
export class AccountPods {
  readonly #reflector: Reflector;
  readonly #byAccount = new Map<string, Set<string>>();

  constructor(means: WatchMeans) {
    this.#reflector = new Reflector(PODS, means, {
      changed: ({ type, object }) => {
        if (type === "removed") this.#forget(accountOf(object), uidOf(object));
        else this.#uidsOf(accountOf(object)).add(uidOf(object));
      },
    });
  }

  start(): void {
    this.#reflector.start();
  }

  stop(): Promise<void> {
    return this.#reflector.stop();
  }

  get(uid: string): Raw | undefined {
    return this.#reflector.objects.get(uid);
  }

  /** Pods of a service account that can be read. */
  of(namespace: string, serviceAccount: string): readonly PodFacts[] {
    return this.#readable(this.#byAccount.get(`${namespace}/${serviceAccount}`) ?? []);
  }

  /** Pods of a namespace that can be read, whatever their account. */
  in(namespace: string): readonly PodFacts[] {
    return [...this.#byAccount]
      .filter(([account]) => account.startsWith(`${namespace}/`))
      .flatMap(([, uids]) => this.#readable(uids));
  }

  #readable(uids: Iterable<string>): readonly PodFacts[] {
    return [...uids].flatMap((uid) => {
      const object = this.get(uid);
      const facts = object && readPodFacts(liveObject(object));
      return facts?.ok ? [facts.value] : [];
    });
  }

  #forget(account: string, uid: string): void {
    const uids = this.#byAccount.get(account);
    uids?.delete(uid);
    if (uids?.size === 0) this.#byAccount.delete(account);
  }

  #uidsOf(account: string): Set<string> {
    const known = this.#byAccount.get(account) ?? new Set();
    this.#byAccount.set(account, known);
    return known;
  }
}

const accountOf = (pod: Raw): string =>
  `${textAt(rawAt(pod, "metadata"), "namespace") ?? ""}/${textAt(rawAt(pod, "spec"), "serviceAccountName") ?? "default"}`;
