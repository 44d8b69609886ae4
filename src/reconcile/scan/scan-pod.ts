import { machineOf } from "../../identity/restricted.ts";
import { problem } from "../../domain/problem.ts";
import { decideMissed } from "../pods/missed.ts";
import { isLive, type PodSeen } from "../pods/seen.ts";
import type { Scan } from "./scan.ts";

/**
 * Takes a look at a Pod, or at a machine that runs, into a scan; one that has ended, or is going, is left out. So is a
 * launcher of which nothing is to be said: it is the machine that it launches, and that one is looked at.
 */
export function scanPod(scan: Scan, pod: PodSeen): void {
  const missed = decideMissed([pod]).filter((action) => action.missed);
  const launches = machineOf(pod.workload).virtualMachine !== undefined;
  const silent = pod.judgement.findings.length + missed.length === 0;
  if (!isLive(pod) || (launches && silent)) return scan.forget(pod.object.uid);
  scan.look({
    object: pod.object,
    judgement: pod.judgement,
    besides: missed.map(({ code, why }) => problem(code, "", why)),
  });
}
