import { type GateRequest, mutate } from "../../src/admission/gate.ts";
import type { Catalogue } from "../../src/domain/catalogue.ts";
import type { Json } from "../../src/domain/json-patch.ts";
import { readApiObject } from "../../src/wire/objects.ts";
import { metadataPresence } from "../../src/wire/presence.ts";
import { readWorkload } from "../../src/wire/workloads.ts";
import { readPodShape } from "../../src/wire/workloads/pod-shape.ts";
import { applyPatch } from "../fakes/json-patch.ts";
import { must, NOON } from "../fakes/judging.ts";

/** A Pod as admission hands it on where certificates are delivered: stamped, with its volumes. */
export function admitted(catalogue: Catalogue, raw: { readonly [key: string]: Json }, namespace: string): unknown {
  const pod = must(readApiObject(raw, "test"));
  const workload = must(readWorkload(pod, { namespace, creator: "alice" }));
  if (!workload) throw new Error("a Pod is a workload");
  const request: GateRequest = {
    uid: "u",
    operation: "CREATE",
    subResource: "",
    dryRun: false,
    user: { username: "alice", groups: [] },
    presence: metadataPresence(pod.raw),
    deleting: false,
    relevantChange: true,
    workload,
    readPod: () => readPodShape(pod),
  };
  return applyPatch(pod.raw, mutate(catalogue, request, { now: NOON, deliver: { podCertificate: true } }).patch);
}
