import { parseAddress } from "../../domain/cidr.ts";
import type {
  Exception,
  ExternalWorkload,
  Permit,
  Restriction,
  RestrictionTarget,
  Role,
  Segment,
  TrustDomain,
} from "../../domain/definitions.ts";
import { parseDuration } from "../../domain/duration.ts";
import { ok, refuseAll, type Result } from "../../domain/problem.ts";
import type { Guardrail, SegmentPolicy, Sentence } from "../../domain/sentences.ts";
import { WORKLOAD_KINDS } from "../../domain/workload.ts";
import { type FieldPath, pathText } from "../documents.ts";
import { EXTERNAL_WORKLOAD } from "../kinds/external-workload.ts";
import { GUARDRAIL } from "../kinds/guardrail.ts";
import { RESTRICTION } from "../kinds/restriction.ts";
import { SEGMENT } from "../kinds/segment.ts";
import { SEGMENT_EXCEPTION } from "../kinds/segment-exception.ts";
import { SEGMENT_POLICY } from "../kinds/segment-policy.ts";
import { TRUST_DOMAIN } from "../kinds/trust-domain.ts";
import { WORKLOAD_ROLE } from "../kinds/workload-role.ts";
import type { KubeObject } from "../objects.ts";
import { isRaw, type Raw, rawAt, refuseAt, sourceOf } from "../read-object.ts";
import { readInForce } from "./in-force.ts";
import { selectorOf, senselessRequirement } from "./selector.ts";
import { endsOf, sentenceOf, windowOf } from "./sentences.ts";

const DEFAULT_LEAF_SECONDS = 4 * 3600;
const CLASSIFIED_LEAF_SECONDS = 3600;

/** Reads a TrustDomain. */
export function readTrustDomain(object: KubeObject): Result<TrustDomain> {
  const read = readInForce(TRUST_DOMAIN, object);
  if (!read.ok) return read;
  const { spec, specPath, definition } = read.value;
  const ttl = secondsAt(spec.leaf?.maxTTL, object, [...specPath, "leaf", "maxTTL"]);
  if (!ttl.ok) return ttl;
  return ok({ ...definition, domain: spec.domain, leafMaxTtlSeconds: ttl.value ?? DEFAULT_LEAF_SECONDS });
}

/** Reads a Segment; a classification brings strict isolation, approval of policies and one-hour leaves by default. */
export function readSegment(object: KubeObject): Result<Segment> {
  const read = readInForce(SEGMENT, object);
  if (!read.ok) return read;
  const { spec, specPath, definition, approved } = read.value;
  const ttl = secondsAt(spec.leaf?.maxTTL, object, [...specPath, "leaf", "maxTTL"]);
  if (!ttl.ok) return ttl;
  const classified = spec.classification !== undefined;
  const leaf = ttl.value ?? (classified ? CLASSIFIED_LEAF_SECONDS : undefined);
  return ok({
    ...definition,
    ...(spec.environment === undefined ? {} : { environment: spec.environment }),
    ...(spec.classification === undefined ? {} : { classification: spec.classification }),
    ...(spec.owner === undefined ? {} : { owner: spec.owner }),
    namespaces: spec.namespaces ?? [],
    namespaceUids: textMapAt(approved, "namespaceUIDs"),
    isolation: spec.isolation ?? (classified ? "strict" : "shared"),
    intra: spec.intra ?? "deny",
    policyApproval: spec.policyApproval ?? (classified ? "required" : "none"),
    mode: spec.mode ?? "observe",
    canary: { workloads: spec.canary?.workloads ?? [], namespaces: spec.canary?.namespaces ?? [] },
    ...(leaf === undefined ? {} : { leafMaxTtlSeconds: leaf }),
  });
}

/** Reads a WorkloadRole. */
export function readRole(object: KubeObject): Result<Role> {
  const read = readInForce(WORKLOAD_ROLE, object);
  if (!read.ok) return read;
  const { spec, specPath, definition } = read.value;
  const match = spec.match;
  const senseless = senselessRequirement(match.podLabels);
  if (senseless !== undefined)
    return refuseAt(object, [...specPath, "match", "podLabels", "matchExpressions", senseless], {
      code: "FIELD_INVALID",
      message: "This requirement has no meaning.",
      mend: "In and NotIn need values; Exists and DoesNotExist have none.",
    });
  const labels = checkRoleLabels(spec.labels ?? {}, object, [...specPath, "labels"]);
  if (!labels.ok) return labels;
  return ok({
    ...definition,
    segment: spec.segment,
    match: {
      ...(match.namespaces === undefined ? {} : { namespaces: match.namespaces }),
      ...(match.serviceAccounts === undefined ? {} : { serviceAccounts: match.serviceAccounts }),
      kinds: match.kinds ?? WORKLOAD_KINDS,
      labels: selectorOf(match.podLabels),
      createdBy: match.createdBy ?? [],
    },
    labels: labels.value,
    permits: spec.permits ?? [],
    delivery: spec.identity?.delivery ?? "none",
    ...(spec.identity?.federatesWith === undefined ? {} : { federatesWith: spec.identity.federatesWith }),
  });
}

const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

function checkRoleLabels(labels: Readonly<Record<string, string>>, object: KubeObject, path: FieldPath) {
  for (const [key, value] of Object.entries(labels))
    if (!LABEL_NAME.test(key) || (value !== "" && !LABEL_NAME.test(value)))
      return refuseAt(object, [...path, key], {
        code: "FIELD_INVALID",
        message: `"${key}: ${value}" cannot be stamped as role.signet.dev/${key}.`,
        mend: "Key and value must be at most 63 letters, digits, dashes, underscores and dots.",
      });
  return ok(labels);
}

/** Reads a SegmentPolicy. */
export function readSegmentPolicy(object: KubeObject): Result<SegmentPolicy> {
  const read = readInForce(SEGMENT_POLICY, object);
  if (!read.ok) return read;
  const { spec, specPath, definition } = read.value;
  const allow = sentencesOf(spec.allow, object, [...specPath, "allow"]);
  if (!allow.ok) return allow;
  return ok({ ...definition, namespace: namespaceOf(object), segment: spec.segment, allow: allow.value });
}

/** Reads a Guardrail. */
export function readGuardrail(object: KubeObject): Result<Guardrail> {
  const read = readInForce(GUARDRAIL, object);
  if (!read.ok) return read;
  const { spec, specPath, definition } = read.value;
  const deny = sentencesOf(spec.deny ?? [], object, [...specPath, "deny"]);
  const allow = sentencesOf(spec.allow ?? [], object, [...specPath, "allow"]);
  if (!deny.ok || !allow.ok) return refuseAll([deny, allow].flatMap((each) => (each.ok ? [] : each.problems)));
  return ok({ ...definition, fences: spec.fences ?? [], deny: deny.value, allow: allow.value });
}

function sentencesOf(
  lines: readonly Parameters<typeof sentenceOf>[0][],
  object: KubeObject,
  path: FieldPath,
): Result<readonly Sentence[]> {
  const read = lines.map((line, index) => sentenceOf(line, object, [...path, index]));
  const problems = read.flatMap((each) => (each.ok ? [] : each.problems));
  return problems.length > 0 ? refuseAll(problems) : ok(read.flatMap((each) => (each.ok ? [each.value] : [])));
}

/** Reads a SegmentException. */
export function readException(object: KubeObject): Result<Exception> {
  const read = readInForce(SEGMENT_EXCEPTION, object);
  if (!read.ok) return read;
  const { spec, specPath, definition } = read.value;
  const window = windowOf(spec, object, specPath);
  const permit = permitOf(spec.permit, object, [...specPath, "permit"]);
  if (!window.ok) return window;
  if (!permit.ok) return permit;
  if (window.value.expires === undefined) throw new TypeError("the schema of SegmentException requires expires");
  return ok({
    ...definition,
    namespace: namespaceOf(object),
    permit: permit.value,
    role: spec.workloads.role,
    reason: spec.reason,
    ...(spec.ticket === undefined ? {} : { ticket: spec.ticket }),
    ...(window.value.notBefore === undefined ? {} : { notBefore: window.value.notBefore }),
    expires: window.value.expires,
  });
}

type RawPermit = { readonly check?: string; readonly path?: string; readonly sentence?: Parameters<typeof endsOf>[0] };

function permitOf(raw: RawPermit, object: KubeObject, path: FieldPath): Result<Permit> {
  if ((raw.check === undefined) === (raw.sentence === undefined))
    return refuseAt(object, path, {
      code: "FIELD_CONFLICT",
      message: "An exception permits either a check or a sentence.",
      mend: "Write exactly one of permit.check and permit.sentence.",
    });
  if ((raw.check === "hostPath") !== (raw.path !== undefined))
    return refuseAt(object, [...path, "path"], {
      code: "FIELD_CONFLICT",
      message: "A path belongs to the check hostPath, and that check needs one.",
      mend: "Write permit: {check: hostPath, path: /the/path}.",
    });
  if (raw.sentence !== undefined) {
    const ends = endsOf(raw.sentence, object, [...path, "sentence"]);
    return ends.ok ? ok({ sentence: ends.value }) : ends;
  }
  return ok(raw.path === undefined ? { check: raw.check ?? "" } : { check: raw.check ?? "", path: raw.path });
}

/** Reads an ExternalWorkload. */
export function readExternalWorkload(object: KubeObject): Result<ExternalWorkload> {
  const read = readInForce(EXTERNAL_WORKLOAD, object);
  if (!read.ok) return read;
  const { spec, specPath, definition } = read.value;
  const wrong = (spec.addresses ?? []).findIndex((address) => parseAddress(address) === undefined);
  if (wrong !== -1)
    return refuseAt(object, [...specPath, "addresses", wrong], {
      code: "FIELD_INVALID",
      message: `"${spec.addresses?.[wrong] ?? ""}" is not an IP address.`,
      mend: "Write an IPv4 or IPv6 address without a prefix.",
    });
  return ok({
    ...definition,
    namespace: namespaceOf(object),
    kind: spec.kind,
    serviceAccount: spec.serviceAccount,
    labels: textMapAt(rawAt(object.raw, "metadata"), "labels"),
    addresses: spec.addresses ?? [],
  });
}

/** Reads a Restriction. */
export function readRestriction(object: KubeObject): Result<Restriction> {
  const read = readInForce(RESTRICTION, object);
  if (!read.ok) return read;
  const { spec, specPath, definition } = read.value;
  const named = Object.entries(spec.target);
  const first = named[0];
  if (named.length !== 1 || !first)
    return refuseAt(object, [...specPath, "target"], {
      code: "FIELD_CONFLICT",
      message: "A Restriction concerns exactly one target.",
      mend: "Name one of identity, serial, pod, virtualMachine, node, segment, role.",
    });
  const [by, value] = first;
  const target = (typeof value === "string" ? { by, name: value } : { by, ...value }) as RestrictionTarget;
  const ticket = spec.ticket === undefined ? {} : { ticket: spec.ticket };
  return ok({ ...definition, target, effect: spec.effect, reason: spec.reason, ...ticket });
}

/** The namespace of a namespaced object; without one it is `default`, as kubectl has it. */
const namespaceOf = (object: KubeObject): string => (object.namespace === "" ? "default" : object.namespace);

function secondsAt(text: string | undefined, object: KubeObject, path: FieldPath): Result<number | undefined> {
  if (text === undefined) return ok(undefined);
  const seconds = parseDuration(text, pathText(path));
  if (seconds.ok) return seconds;
  return refuseAll(seconds.problems.map((found) => ({ ...found, source: sourceOf(object, path) })));
}

function textMapAt(raw: Raw, key: string): Readonly<Record<string, string>> {
  const value = raw[key];
  if (!isRaw(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
