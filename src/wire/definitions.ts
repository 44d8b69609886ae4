import type { Definitions } from "../domain/catalogue.ts";
import type { Namespace, TrustDomain } from "../domain/definitions.ts";
import { ok, type Problem, refuseAll, type Result } from "../domain/problem.ts";
import { ENROL_LABEL, SEGMENT_LABEL } from "../domain/reserved-keys.ts";
import {
  readExternalWorkload,
  readRestriction,
  readRole,
  readSegment,
  readTrustDomain,
} from "./definitions/readers.ts";
import { readException, readGuardrail, readSegmentPolicy } from "./definitions/traffic-readers.ts";
import { KINDS } from "./kinds.ts";
import { GROUP, VERSION } from "./kinds/kind.ts";
import type { KubeObject } from "./objects.ts";
import { isRaw, nearest, problemAt, rawAt, refuseAt, textAt } from "./read-object.ts";

type Listed = Exclude<keyof Definitions, "trustDomain" | "foreignDomains">;
type Lists = { -readonly [K in Listed]: Definitions[K][number][] } & { trustDomains: TrustDomain[] };

/** One reader a kind; each puts what it read where it belongs. */
const READERS: Readonly<Record<string, (object: KubeObject, lists: Lists) => readonly Problem[]>> = {
  TrustDomain: (object, lists) => keep(readTrustDomain(object), (value) => lists.trustDomains.push(value)),
  Segment: (object, lists) => keep(readSegment(object), (value) => lists.segments.push(value)),
  WorkloadRole: (object, lists) => keep(readRole(object), (value) => lists.roles.push(value)),
  SegmentPolicy: (object, lists) => keep(readSegmentPolicy(object), (value) => lists.policies.push(value)),
  Guardrail: (object, lists) => keep(readGuardrail(object), (value) => lists.guardrails.push(value)),
  SegmentException: (object, lists) => keep(readException(object), (value) => lists.exceptions.push(value)),
  ExternalWorkload: (object, lists) =>
    keep(readExternalWorkload(object), (value) => lists.externalWorkloads.push(value)),
  Restriction: (object, lists) => keep(readRestriction(object), (value) => lists.restrictions.push(value)),
};

function keep<T>(read: Result<T>, put: (value: T) => unknown): readonly Problem[] {
  if (!read.ok) return read.problems;
  put(read.value);
  return [];
}

/** Whether an object belongs to a catalogue: one of Signet's kinds, or a Namespace. */
export const isDefinition = (object: KubeObject): boolean =>
  object.apiVersion.startsWith(`${GROUP}/`) || (object.apiVersion === "v1" && object.kind === "Namespace");

/**
 * Reads a catalogue's definitions out of objects; objects of other groups are left aside. Any unreadable definition, and
 * any that stands twice, refuses the whole.
 */
export function readDefinitions(objects: readonly KubeObject[]): Result<Definitions> {
  const lists = emptyLists();
  const seen = new Map<string, KubeObject>();
  const problems: Problem[] = [];
  for (const object of objects.filter(isDefinition)) {
    const twice = seenBefore(seen, object);
    problems.push(...(twice ?? readOne(object, lists)));
  }
  if (problems.length > 0) return refuseAll(problems);
  const { trustDomains, ...rest } = lists;
  const local = trustDomains.find((each) => each.name === LOCAL);
  const foreignDomains = trustDomains.filter((each) => each.name !== LOCAL);
  return ok({
    ...rest,
    ...(local ? { trustDomain: local } : {}),
    ...(foreignDomains.length > 0 ? { foreignDomains } : {}),
  });
}

/** Name of the TrustDomain that is ours. */
const LOCAL = "local";

const emptyLists = (): Lists => ({
  trustDomains: [],
  segments: [],
  roles: [],
  namespaces: [],
  exceptions: [],
  policies: [],
  guardrails: [],
  externalWorkloads: [],
  restrictions: [],
});

function seenBefore(seen: Map<string, KubeObject>, object: KubeObject): readonly Problem[] | undefined {
  const key = `${object.apiVersion}/${object.kind}/${object.namespace}/${object.name}`;
  const first = seen.get(key);
  if (!first) {
    seen.set(key, object);
    return undefined;
  }
  const where = first.document.locate(first.base);
  return [
    problemAt(object, ["metadata", "name"], {
      code: "OBJECT_DUPLICATE",
      message: `${object.kind} "${object.name}" stands also at ${where.file}:${where.line}.`,
      mend: "Delete or rename one of the two.",
    }),
  ];
}

function readOne(object: KubeObject, lists: Lists): readonly Problem[] {
  if (object.apiVersion === "v1") return keep(readNamespace(object), (value) => lists.namespaces.push(value));
  const reader = object.apiVersion === `${GROUP}/${VERSION}` ? READERS[object.kind] : undefined;
  if (reader && Object.hasOwn(READERS, object.kind)) return reader(object, lists);
  return [unknownKind(object)];
}

function unknownKind(object: KubeObject): Problem {
  const near = nearest(
    object.kind,
    KINDS.map((kind) => kind.kind),
  );
  const known = Object.hasOwn(READERS, object.kind);
  return problemAt(object, [known ? "apiVersion" : "kind"], {
    code: "KIND_UNKNOWN",
    message: `${object.apiVersion} ${object.kind} is not a kind that Signet knows.`,
    mend: known
      ? `Write apiVersion: ${GROUP}/${VERSION}.`
      : near
        ? `Did you mean ${near}?`
        : "`signet crds` lists the kinds.",
  });
}

/** Reads what a Namespace says under Signet's guarded labels; `signet.dev/enrol` must be "true" or "false". */
export function readNamespace(object: KubeObject): Result<Namespace> {
  const metadata = rawAt(object.raw, "metadata");
  const labels: Record<string, string> = {};
  if (isRaw(metadata["labels"]))
    for (const [key, value] of Object.entries(metadata["labels"])) {
      if (typeof value !== "string")
        return refuseAt(object, ["metadata", "labels", key], {
          code: "FIELD_INVALID",
          message: `The value of the label ${key} is no text.`,
          mend: "Quote it: the value of a label is a text.",
        });
      labels[key] = value;
    }
  const enrol = labels[ENROL_LABEL];
  if (enrol !== undefined && enrol !== "true" && enrol !== "false")
    return refuseAt(object, ["metadata", "labels", ENROL_LABEL], {
      code: "FIELD_INVALID",
      message: `The label ${ENROL_LABEL} is "${enrol}".`,
      mend: 'Write "true", or take the label away.',
    });
  const uid = textAt(metadata, "uid");
  const segment = labels[SEGMENT_LABEL];
  return ok({
    name: object.name,
    enrolled: enrol === "true",
    labels,
    ...(uid === undefined ? {} : { uid }),
    ...(segment === undefined || segment === "" ? {} : { segment }),
  });
}
