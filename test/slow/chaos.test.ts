import { afterAll, beforeAll, expect, test } from "vitest";
import { applyApproved } from "../api/approve.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { CHAOS_CATALOGUE, untilJudged, wreak } from "../cluster/chaos.ts";
import { type Installed, installSignet } from "../cluster/install.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const PATIENCE_MS = 120_000;

let cluster: Cluster;
let signet: Installed;

beforeAll(async () => {
  cluster = await bootCluster({ audit: "off" });
  signet = await installSignet(cluster, { replicas: 2, config: { cluster: { leafLifetime: "20s", settle: "1s" } } });
  await applyApproved(cluster, CHAOS_CATALOGUE, "alice");
  await untilJudged(cluster, PATIENCE_MS);
}, FIRST_BOOT_MS);

afterAll(async () => {
  await signet?.stop();
  await cluster?.stop();
}, PATIENCE_MS);

test("1,000 Pods are created while replicas are killed and certificates change: none is missed, none wrongly admitted", {
  timeout: 10 * 60_000,
}, async () => {
  const outcome = await wreak(cluster, signet, { pods: 1000, waves: 5, patienceMs: PATIENCE_MS });
  expect(outcome).toMatchObject({
    pods: 1000,
    missed: [],
    wronglyAdmitted: [],
    killed: { SIGKILL: 3, SIGTERM: 2 },
  });
  expect(outcome.renewed).toBeGreaterThan(0);
  expect(outcome.intrusions).toBeGreaterThan(20);
});
