import { createHash } from "node:crypto";
import { MANAGED_BY_LABEL, type Rendered, TARGET_LABEL } from "./rendered.ts";
import { TARGET_NAMES, type TargetName } from "./targets.ts";

/** The annotation that says what a spec was when it was written, so that an edit by others shows. */
const DIGEST_ANNOTATION = "policy.signet.dev/digest";

/** The object as it is written to a cluster: with the digest of what it says, but one that has a digest keeps that. */
export const withDigest = (object: Rendered): Rendered => ({
  ...object,
  metadata: {
    ...object.metadata,
    annotations: { [DIGEST_ANNOTATION]: digestOf(object.spec), ...object.metadata.annotations },
  },
});

/** The same with another spec, which is ours unless somebody had changed the one before. */
export function withSpec(object: Rendered, spec: Rendered["spec"]): Rendered {
  if (isEdited(object)) return { ...object, spec };
  const { [DIGEST_ANNOTATION]: _, ...annotations } = object.metadata.annotations ?? {};
  return { ...object, metadata: { ...object.metadata, annotations }, spec };
}

/** The target that an object of a cluster was compiled for; undefined where it is not ours. */
export function targetOf(labels: Readonly<Record<string, string>>): TargetName | undefined {
  if (labels[MANAGED_BY_LABEL] !== "signet") return undefined;
  return TARGET_NAMES.find((name) => name === labels[TARGET_LABEL]);
}

/** Whether somebody changed an object of ours since it was written. */
export const isEdited = ({ metadata: { annotations }, spec }: Rendered): boolean =>
  annotations?.[DIGEST_ANNOTATION] !== digestOf(spec);

/** Whether two objects say the same; the order of fields does not count. */
export const saysTheSame = (a: Rendered, b: Rendered): boolean => canonical(a.spec) === canonical(b.spec);

const digestOf = (spec: unknown): string => createHash("sha256").update(canonical(spec)).digest("hex").slice(0, 16);

/** JSON with the fields of every map in order. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
