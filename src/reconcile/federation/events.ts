import { type Raw, rawAt, textAt } from "../../wire/read-object.ts";
import type { EventAction } from "../events.ts";
import type { Standing } from "./standing.ts";

/** The Event on a TrustDomain after a look: what keeps its bundle from being fetched, once for each reason, or new authorities. */
export function federationEvent(object: Raw, before: Standing, after: Standing): EventAction | undefined {
  const { failure } = after;
  if (failure && failure.reason !== before.failure?.reason)
    return event(object, "Warning", "BundleNotFetched", failure.message);
  if (failure || !after.held) return undefined;
  const [old, now] = [before.held, after.held].map(
    (held) => new Set(held?.roots.map(({ fingerprint }) => fingerprint)),
  );
  const added = [...(now ?? [])].filter((one) => !old?.has(one)).length;
  const gone = [...(old ?? [])].filter((one) => !now?.has(one)).length;
  if (added + gone === 0) return undefined;
  return event(object, "Normal", "BundleChanged", `Authorities of its bundle: ${added} new, ${gone} gone.`);
}

/** The Event on a TrustDomain whose bundle the API server does not publish, or not take away: once for each reason. */
export function refusedEvent(object: Raw, did: "publish" | "delete", reason: string): EventAction {
  return did === "publish"
    ? event(object, "Warning", "BundleNotPublished", `The bundle before stays, as the API server refuses: ${reason}`)
    : event(object, "Warning", "BundleNotDeleted", stillPublished(reason));
}

/** What is said of a bundle that cannot be taken away. */
export const stillPublished = (reason: string): string =>
  `Its bundle is not wanted and is published still: workloads that mount it believe this domain. The API server refuses to delete the ClusterTrustBundle; it is tried again: ${reason}`;

function event(object: Raw, type: EventAction["type"], reason: string, note: string): EventAction {
  const metadata = rawAt(object, "metadata");
  const [name, uid] = [textAt(metadata, "name") ?? "", textAt(metadata, "uid") ?? ""];
  const apiVersion = textAt(object, "apiVersion") ?? "";
  const regarding = { apiVersion, kind: "TrustDomain", namespace: "default", name, uid };
  return { do: "emitEvent", regarding, type, reason, action: "Reconcile", note: note.slice(0, 1024) };
}
