import type { Catalogue } from "../../domain/catalogue.ts";
import type { Restriction } from "../../domain/definitions.ts";
import { sha256Base64 } from "../../domain/sha256.ts";
import { concerns } from "../../policy/intent/quarantine.ts";
import { canonical } from "../../policy/compile/published.ts";
import { isRaw, type Raw, rawAt, textAt } from "../../wire/read-object.ts";
import type { ClusterState } from "./cluster.ts";
import { podEnd } from "./cluster-members.ts";

/** Texts are made once of each object: what a watch or a catalogue holds is never changed, but replaced. */
const known = new WeakMap<object, string>();

function once<T extends object>(value: T, make: (value: T) => string): string {
  const before = known.get(value);
  if (before !== undefined) return before;
  const made = make(value);
  known.set(value, made);
  return made;
}

/**
 * A text that is the same as long as nothing has changed that publishing hangs on, but for time: a further replica, a new
 * address or somebody's status does not change it. Under quarantine each Pod counts: who is cut off is said one by one.
 */
export function fingerprintOf(state: ClusterState): string {
  const { catalogue, terminating = [], pods, nodes, policies, unread = [], attachments } = state;
  const workloads = new Set<string>();
  for (const pod of pods) workloads.add(once(pod, podText));
  const restrictions = catalogue.definitions.restrictions.filter(({ effect }) => effect === "quarantine");
  const cutOff = restrictions.length === 0 ? [] : [...pods].flatMap((pod) => cutOffText(catalogue, restrictions, pod));
  const parts = [
    once(catalogue, definitionsText),
    [...terminating].sort().join("\n"),
    [...workloads].sort().join("\n"),
    cutOff.sort().join("\n"),
    setText(nodes, nodeText),
    setText(policies, objectText),
    setText(attachments, objectText),
    unread.map(({ group, kind }) => `${group} ${kind}`).join("\n"),
  ];
  return sha256Base64(parts.join("\n\n"));
}

/** Of whom something must be cut off, now and before anything else. */
export const quarantinesText = ({ definitions }: Catalogue): string =>
  JSON.stringify(definitions.restrictions.map(({ name, uid, effect, target }) => [name, uid, effect, target]));

const setText = (objects: Iterable<Raw>, text: (object: Raw) => string): string =>
  [...objects]
    .map((object) => once(object, text))
    .sort()
    .join("\n");

const definitionsText = ({ definitions }: Catalogue): string =>
  sha256Base64(
    JSON.stringify(definitions, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
  );

/** What tells the Pods of one workload from those of others, and not from each other. */
function podText(pod: Raw): string {
  const metadata = rawAt(pod, "metadata");
  const spec = rawAt(pod, "spec");
  const owners = Array.isArray(metadata["ownerReferences"]) ? metadata["ownerReferences"].filter(isRaw) : [];
  const ports = [spec["containers"], spec["initContainers"]];
  const ended = ["Succeeded", "Failed"].includes(textAt(rawAt(pod, "status"), "phase") ?? "");
  return ended
    ? ""
    : canonical([
        metadata["namespace"],
        owners.length > 0 ? owners.map(({ kind, name }) => [kind, name]) : metadata["name"],
        metadata["labels"],
        spec["serviceAccountName"],
        spec["hostNetwork"],
        ports,
      ]);
}

/** Which quarantines concern a Pod, and whether it is marked; found once for each catalogue. */
const cutOffTexts = new WeakMap<Catalogue, WeakMap<Raw, readonly string[]>>();

function cutOffText(catalogue: Catalogue, restrictions: readonly Restriction[], pod: Raw): readonly string[] {
  const texts = cutOffTexts.get(catalogue) ?? new WeakMap<Raw, readonly string[]>();
  cutOffTexts.set(catalogue, texts);
  const found = texts.get(pod) ?? cutOffOf(catalogue, restrictions, pod);
  texts.set(pod, found);
  return found;
}

function cutOffOf(catalogue: Catalogue, restrictions: readonly Restriction[], pod: Raw): readonly string[] {
  const end = podEnd(catalogue, pod);
  const names = end ? restrictions.filter(({ target }) => concerns(target, end)).map(({ name }) => name) : [];
  if (names.length === 0) return [];
  const { uid, labels } = rawAt(pod, "metadata");
  return [canonical([names, uid, labels])];
}

const nodeText = (node: Raw): string => canonical(rawAt(node, "spec")["podCIDRs"] ?? []);

function objectText({ kind, metadata, spec, specs }: Raw): string {
  const { namespace, name, labels, annotations } = isRaw(metadata) ? metadata : {};
  return sha256Base64(canonical([kind, namespace, name, labels, annotations, spec, specs]));
}
