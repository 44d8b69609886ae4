import process from "node:process";
import type { OpenKube } from "../cli/kube-access.ts";
import { ok } from "../domain/problem.ts";
import { makeKubeClient } from "../kube/client.ts";
import { systemClock } from "../kube/clock.ts";
import { readClusterAccess } from "../kube/config.ts";
import { makeConnection } from "../kube/connection.ts";
import type { Resource } from "../kube/resources.ts";
import { rawAt, textAt } from "../wire/read-object.ts";

const SELF: Resource = {
  group: "authentication.k8s.io",
  version: "v1",
  plural: "selfsubjectreviews",
  kind: "SelfSubjectReview",
  namespaced: false,
};

/** Opens the way to the cluster that a kubeconfig names. */
export const openKube: OpenKube = async (choice) => {
  const access = await readClusterAccess({ ...choice, env: process.env });
  if (!access.ok) return access;
  const client = makeKubeClient(makeConnection(access.value, { clock: systemClock }));
  return ok({
    get: client.get,
    list: client.list,
    patchStatus: (resource, object, body) =>
      client.patch(resource, object, { type: "json", body }, { subresource: "status" }),
    create: client.create,
    merge: (resource, object, body) => client.patch(resource, object, { type: "merge", body }),
    remove: (resource, object) => client.delete(resource, object),
    whoAmI: async () => {
      const review = await client.create(SELF, { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" });
      if (!review.ok) return review;
      return ok(textAt(rawAt(rawAt(review.value, "status"), "userInfo"), "username") ?? "");
    },
  });
};
