import { applyApproved } from "../api/approve.ts";
import { bootCluster } from "../cluster/boot.ts";
import { CHAOS_CATALOGUE, untilJudged, wreak } from "../cluster/chaos.ts";
import { installSignet } from "../cluster/install.ts";
import { type Figures, machine, peakMb, round } from "./figures.ts";

const PODS_PER_WAVE = 200;

/** Creates so many Pods from Deployments under fire; `seconds` is the patience for one wave of them. */
export async function chaos(size: number, seconds: number): Promise<Figures> {
  const cluster = await bootCluster({ audit: "off" });
  try {
    const config = { cluster: { leafLifetime: "20s", settle: "1s" } };
    const signet = await installSignet(cluster, { replicas: 2, config });
    try {
      await applyApproved(cluster, CHAOS_CATALOGUE, "alice");
      await untilJudged(cluster, seconds * 1000);
      const waves = Math.max(2, Math.round(size / PODS_PER_WAVE));
      const outcome = await wreak(cluster, signet, { pods: size, waves, patienceMs: seconds * 1000 });
      const running = signet.replicas().filter((replica) => replica.running());
      return {
        name: "chaos",
        size: outcome.pods,
        opsPerSec: round(outcome.perSecond),
        floorOpsPerSec: null,
        ratio: null,
        p50Ms: null,
        p99Ms: null,
        rssMb: Math.max(...running.map(({ pid }) => peakMb(pid))),
        cpuSecPer1000: null,
        machine: machine(),
        missed: outcome.missed.length,
        wronglyAdmitted: outcome.wronglyAdmitted.length,
        killed: outcome.killed.SIGKILL + outcome.killed.SIGTERM,
      };
    } finally {
      await signet.stop();
    }
  } finally {
    await cluster.stop();
  }
}
