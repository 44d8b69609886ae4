import { isRaw, type Raw, rawAt } from "./read-object.ts";

/** Which maps of an object's metadata are there, for a patch that must not add below what is absent. */
export function metadataPresence(raw: Raw): { metadata: boolean; labels: boolean; annotations: boolean } {
  const metadata = rawAt(raw, "metadata");
  return {
    metadata: isRaw(raw["metadata"]),
    labels: isRaw(metadata["labels"]),
    annotations: isRaw(metadata["annotations"]),
  };
}
