import type { ProblemCode } from "../../domain/problem-codes.ts";
import { decideEnded, type EndedException } from "./ended-exceptions.ts";
import { countMissed, decideMissed, type PodAction } from "./missed.ts";
import type { PodSeen } from "./seen.ts";

/** What is wrong with a Pod that runs: admission missed it, or its exception has ended. */
export type Concern = PodAction | EndedException;

/** Which Pods are of concern, as of the last look at each; those about which nothing is to be said cost nothing. */
export class Concerns {
  readonly #byPod = new Map<string, readonly Concern[]>();

  /** Takes a new look at one Pod in. Gives all its concerns, each with whether the last look had it too. */
  look(pod: PodSeen): readonly { readonly concern: Concern; readonly isNew: boolean }[] {
    const { uid } = pod.object;
    const before = this.#byPod.get(uid) ?? [];
    const now = [...decideMissed([pod]), ...decideEnded([pod])];
    if (now.length > 0) this.#byPod.set(uid, now);
    else this.#byPod.delete(uid);
    return now.map((concern) => ({ concern, isNew: !before.some((old) => isSame(old, concern)) }));
  }

  /** The Pod is gone. */
  forget(uid: string): void {
    this.#byPod.delete(uid);
  }

  /** How many Pods run without a valid stamp, by the reason; empty where none does. */
  missed(): ReadonlyMap<ProblemCode, number> {
    const counts = new Map<ProblemCode, number>();
    for (const concern of this.#all())
      if (isMissing(concern)) counts.set(concern.code, (counts.get(concern.code) ?? 0) + countMissed([concern]));
    return new Map([...counts].filter(([, count]) => count > 0));
  }

  /** The Pods that run beyond the end of their exception. */
  ended(): readonly EndedException[] {
    return this.#all().filter((concern) => concern.do === "flagPod");
  }

  #all(): readonly Concern[] {
    return [...this.#byPod.values()].flat();
  }
}

const isMissing = (concern: Concern): concern is PodAction => concern.do !== "flagPod";

const isSame = (a: Concern, b: Concern): boolean => a.do === b.do && a.code === b.code && a.why === b.why;
