import type { Instant } from "../../domain/instant.ts";
import type { Rendered } from "../../policy/compile/rendered.ts";
import { isRaw, type Raw, rawAt, textAt } from "../../wire/read-object.ts";
import type { EventAction, EventBudget } from "../events.ts";

/** What is known of an edit. */
type Edit = {
  readonly policies: Iterable<Raw>;
  /** The field manager that wrote it; undefined where none but ours is named. */
  readonly by: string | undefined;
  readonly mended: boolean;
  /** Where it is changed again and again: how often it was mended, and in how many milliseconds at the earliest next. */
  readonly fought?: { readonly times: number; readonly waitMs: number };
};

/** The Event on an object of ours that somebody changed; undefined where it was told often enough, or is gone. */
export function editedEvent(budget: EventBudget, object: Rendered, edit: Edit, now: Instant): EventAction | undefined {
  const { apiVersion, kind, metadata } = object;
  const namespace = metadata.namespace ?? "";
  const uid = textAt(rawAt(rawOf(object, edit.policies) ?? {}, "metadata"), "uid");
  if (uid === undefined || !budget.take(uid, now)) return undefined;
  return {
    do: "emitEvent",
    regarding: { apiVersion, kind, namespace: namespace === "" ? "default" : namespace, name: metadata.name, uid },
    type: "Warning",
    reason: edit.fought ? "PolicyFoughtOver" : "PolicyEdited",
    action: "Reconcile",
    note: noteOf(edit),
  };
}

function noteOf({ by, mended, fought }: Edit): string {
  const who = by === undefined ? "Somebody" : `Field manager "${by.slice(0, 128)}"`;
  if (fought)
    return `${who} changes it again and again: it was mended ${fought.times} times in a row, and is next in ${Math.ceil(fought.waitMs / 1000)} s at the earliest. Have that leave objects labelled app.kubernetes.io/managed-by=signet alone, or change the sentences that it comes from.`;
  return mended
    ? `${who} changed it since it was written. It was written anew; change the sentences that it comes from.`
    : `${who} changed it since it was written. It is not mended yet.`;
}

/** The field manager that wrote an object of ours last, where that was another's. */
export function editorOf(object: Rendered, policies: Iterable<Raw>): string | undefined {
  const { managedFields } = rawAt(rawOf(object, policies) ?? {}, "metadata");
  const [last]: readonly unknown[] = Array.isArray(managedFields) ? managedFields : [];
  return isRaw(last) ? textAt(last, "manager") : undefined;
}

function rawOf({ kind, metadata: { name, namespace = "" } }: Rendered, policies: Iterable<Raw>): Raw | undefined {
  return [...policies].find((raw) => {
    const own = rawAt(raw, "metadata");
    return textAt(raw, "kind") === kind && own["name"] === name && (own["namespace"] ?? "") === namespace;
  });
}
