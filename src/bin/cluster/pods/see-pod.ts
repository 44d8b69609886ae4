import { judge, type Terms } from "../../../admission/judge.ts";
import { type Lack, lacksOf } from "../../../admission/lacks.ts";
import type { Catalogue } from "../../../domain/catalogue.ts";
import { ok, type Result } from "../../../domain/problem.ts";
import { liveObject } from "../../../kube/live-object.ts";
import type { LiveMachines } from "../../../kube/machines.ts";
import { asCreated } from "../../../reconcile/pods/created-by.ts";
import type { PodSeen } from "../../../reconcile/pods/seen.ts";
import { objectKey } from "../../../wire/definitions/approvable.ts";
import { metadataPresence } from "../../../wire/presence.ts";
import { type Raw, rawAt, textAt } from "../../../wire/read-object.ts";
import { readWorkload } from "../../../wire/workloads.ts";
import { launchingNow } from "./see-launcher.ts";

/** A Pod as admission would judge it now, and what the snapshot lacks for that to be sure. */
export type Seen = { readonly pod: PodSeen; readonly lacks: readonly Lack[] };

/** Judges a Pod that runs as if it were created now. Refused where it cannot be read. */
export function seePod(
  catalogue: Catalogue,
  raw: Raw,
  terms: Terms,
  machines: Pick<LiveMachines, "find" | "launches">,
): Result<Seen | undefined> {
  const object = liveObject(raw);
  const read = readWorkload(object, { namespace: object.namespace });
  if (!read.ok) return read;
  if (!read.value) return ok(undefined);
  const launching = launchingNow(read.value, machines);
  // A launcher whose instance is not known, or no longer, is looked at when it is.
  if (launching?.machine === "unknown") return ok(undefined);
  const workload = asCreated(catalogue, read.value);
  const pod: PodSeen = {
    object: objectKey(object, object.namespace),
    workload,
    presence: metadataPresence(raw),
    phase: textAt(rawAt(raw, "status"), "phase") ?? "",
    deleting: textAt(rawAt(raw, "metadata"), "deletionTimestamp") !== undefined,
    judgement: judge(catalogue, workload, launching ? { ...terms, launching } : terms),
  };
  return ok({ pod, lacks: lacksOf(catalogue, workload, "validate") });
}
