import type { Instant } from "../../domain/instant.ts";
import type { Rendered } from "../../policy/compile/rendered.ts";
import { type Raw, rawAt, textAt } from "../../wire/read-object.ts";
import type { EventAction, EventBudget } from "../events.ts";

/** The Event on an object of ours that somebody changed; undefined where it was told often enough, or is gone. */
export function editedEvent(
  budget: EventBudget,
  { apiVersion, kind, metadata }: Rendered,
  { policies, mended }: { readonly policies: Iterable<Raw>; readonly mended: boolean },
  now: Instant,
): EventAction | undefined {
  const namespace = metadata.namespace ?? "";
  const found = [...policies].find((raw) => {
    const own = rawAt(raw, "metadata");
    return textAt(raw, "kind") === kind && own["name"] === metadata.name && (own["namespace"] ?? "") === namespace;
  });
  const uid = found && textAt(rawAt(found, "metadata"), "uid");
  if (uid === undefined || !budget.take(uid, now)) return undefined;
  const note = mended
    ? "Somebody changed it since it was written. It was written anew; change the sentences that it comes from."
    : "Somebody changed it since it was written. It is not mended yet.";
  return {
    do: "emitEvent",
    regarding: { apiVersion, kind, namespace: namespace === "" ? "default" : namespace, name: metadata.name, uid },
    type: "Warning",
    reason: "PolicyEdited",
    action: "Reconcile",
    note,
  };
}
