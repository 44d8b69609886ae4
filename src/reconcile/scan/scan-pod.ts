import { problem } from "../../domain/problem.ts";
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
