import { type PatchOperation, pointer } from "../domain/json-patch.ts";
import type { Deviation } from "./stamp.ts";

/** What of an object's metadata is there; `add` below something that is absent would fail. */
export type MetadataPresence = { readonly metadata: boolean; readonly labels: boolean; readonly annotations: boolean };

/**
 * The JSON Patch that brings an object's metadata to its stamp. Applied twice it does nothing: a stamped object has no
 * deviations, and no deviations make no operations.
 */
export function patchOf(found: readonly Deviation[], present: MetadataPresence): readonly PatchOperation[] {
  const maps = (["labels", "annotations"] as const).flatMap((map) => mapPatch(map, found, present));
  if (present.metadata || maps.length === 0) return maps;
  return [{ op: "add", path: "/metadata", value: {} }, ...maps];
}

function mapPatch(
  map: Deviation["map"],
  found: readonly Deviation[],
  present: MetadataPresence,
): readonly PatchOperation[] {
  const here = found.filter((each) => each.map === map);
  if (here.length === 0) return [];
  if (!present[map]) {
    const value: Record<string, string> = {};
    for (const { key, wanted } of here) if (wanted !== undefined) value[key] = wanted;
    return [{ op: "add", path: pointer("metadata", map), value }];
  }
  return here.map(({ key, wanted }) => {
    const path = pointer("metadata", map, key);
    return wanted === undefined ? { op: "remove", path } : { op: "add", path, value: wanted };
  });
}
