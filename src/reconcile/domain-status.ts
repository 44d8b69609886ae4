import { formatInstant, type Instant } from "../domain/instant.ts";
import type { Json, PatchOperation } from "../domain/json-patch.ts";
import { isRaw, type Raw, rawAt, textAt } from "../wire/read-object.ts";

/** What a condition of a TrustDomain says; since when it does is added as it is written. */
export type Said = {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
};

/** One condition. */
export const said = (type: string, holds: boolean, reason: string, message: string): Said => ({
  type,
  status: holds ? "True" : "False",
  reason,
  message,
});

/**
 * The JSON Patch that writes these fields and conditions on a TrustDomain's status, undefined where it says so already; a
 * field that is undefined is taken away. Its first operation tests the resource version. Conditions of others stay as they are.
 */
export function domainStatusPatch(
  object: Raw,
  fields: Readonly<Record<string, Json | undefined>>,
  conditions: readonly Said[],
  now: Instant,
): readonly PatchOperation[] | undefined {
  const present = isRaw(object["status"]) ? object["status"] : undefined;
  const { resourceVersion, generation } = rawAt(object, "metadata");
  const wanted = { ...fields, conditions: placed(present?.["conditions"], conditions, Number(generation ?? 0), now) };
  const changed = Object.entries(wanted).filter(([key, value]) => !isSame(present?.[key], value));
  if (changed.length === 0) return undefined;
  return [
    { op: "test", path: "/metadata/resourceVersion", value: String(resourceVersion) },
    ...(present ? [] : [{ op: "add", path: "/status", value: { approvals: [] } } as const]),
    ...changed.map(
      ([key, value]): PatchOperation =>
        value === undefined ? { op: "remove", path: `/status/${key}` } : { op: "add", path: `/status/${key}`, value },
    ),
  ];
}

/** Ours in their places, with the time of their last change; all others untouched. */
function placed(present: unknown, wanted: readonly Said[], generation: number, now: Instant): Json[] {
  const list = Array.isArray(present) ? present.filter(isRaw) : [];
  const made = wanted.map((one) => {
    const old = list.find((each) => each["type"] === one.type);
    const since = old?.["status"] === one.status ? textAt(old, "lastTransitionTime") : undefined;
    return { ...one, observedGeneration: generation, lastTransitionTime: since ?? formatInstant(now) };
  });
  const kept = list.map((old) => made.find(({ type }) => type === old["type"]) ?? (old as { [key: string]: Json }));
  return [...kept, ...made.filter(({ type }) => !list.some((old) => old["type"] === type))];
}

/** Whether two values say the same, whatever the order of their fields. */
function isSame(a: unknown, b: Json | undefined): boolean {
  const sorted = (value: unknown): unknown =>
    isRaw(value)
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([one], [two]) => (one < two ? -1 : 1))
            .map(([k, v]) => [k, sorted(v)]),
        )
      : Array.isArray(value)
        ? value.map(sorted)
        : value;
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}
