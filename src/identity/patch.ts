import { type PatchOperation, pointer } from "../domain/json-patch.ts";
import { remembered } from "../domain/remembered.ts";
import type { Deviation } from "./stamp.ts";

/** What of an object's metadata is there; `add` below something that is absent would fail. */
export type MetadataPresence = { readonly metadata: boolean; readonly labels: boolean; readonly annotations: boolean };

/**
 * The JSON Patch that brings an object's metadata to its stamp. Applied twice it does nothing: a stamped object has no
 * deviations, and no deviations make no operations.
 */
export function patchOf(found: readonly Deviation[], present: MetadataPresence): readonly PatchOperation[] {
  if (present.labels && present.annotations && Object.isFrozen(found)) return wholePatch(found);
  const maps = mapsPatch(found, present);
  if (present.metadata || maps.length === 0) return maps;
  return [{ op: "add", path: "/metadata", value: {} }, ...maps];
}

/** What is wanted of most: a whole stamp, beside the labels and annotations that are there. Frozen, and always the same. */
const wholePatch = remembered((found: readonly Deviation[]) =>
  Object.freeze(mapsPatch(found, { metadata: true, labels: true, annotations: true })),
);

const mapsPatch = (found: readonly Deviation[], present: MetadataPresence): readonly PatchOperation[] =>
  (["labels", "annotations"] as const).flatMap((map) => mapPatch(map, found, present));

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
