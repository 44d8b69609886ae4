import { problem } from "../../domain/problem.ts";
import type { EndedException } from "../pods/ended-exceptions.ts";
import { decideMissed } from "../pods/missed.ts";
import { isLive, type PodSeen } from "../pods/seen.ts";
import type { Scan } from "./scan.ts";

/** Takes a look at a Pod into a scan; one that has ended, or is going, is left out. */
export function scanPod(scan: Scan, pod: PodSeen): void {
  if (!isLive(pod)) return scan.forget(pod.object.uid);
  const missed = decideMissed([pod]).filter((action) => action.missed);
  scan.look({
    object: pod.object,
    judgement: pod.judgement,
    besides: missed.map(({ code, why }) => problem(code, "", why)),
  });
}

/** How many Pods run beyond the end of each exception, by `namespace/name` of it. */
export function countBeyond(ended: readonly EndedException[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { object, exception } of ended) {
    const key = `${object.namespace}/${exception}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
