import process from "node:process";
import type { OpenPublishing } from "../cli/publish-access.ts";
import { ok } from "../domain/problem.ts";
import { makeKubeClient } from "../kube/client.ts";
import { systemClock } from "../kube/clock.ts";
import { readClusterAccess } from "../kube/config.ts";
import { makeConnection } from "../kube/connection.ts";
import { applyWhole } from "./apply-whole.ts";

/** Opens the way to the cluster that a kubeconfig names, for publishing compiled policies. */
export const openPublishing: OpenPublishing = async (choice) => {
  const access = await readClusterAccess({ ...choice, env: process.env });
  if (!access.ok) return access;
  const client = makeKubeClient(makeConnection(access.value, { clock: systemClock }));
  return ok({
    list: client.list,
    apply: (resource, object) => applyWhole(client, resource, object),
    remove: client.delete,
  });
};
