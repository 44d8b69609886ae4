import type { Exception, Permit } from "../../domain/definitions.ts";
import { ok, refuseAll, type Result } from "../../domain/problem.ts";
import { parseInstant } from "../../domain/instant.ts";
import type { LossCode } from "../../domain/loss-codes.ts";
import type { Guardrail, SegmentPolicy, Sentence, Waiver } from "../../domain/sentences.ts";
import { type FieldPath, pathText } from "../documents.ts";
import { GUARDRAIL } from "../kinds/guardrail.ts";
import { SEGMENT_EXCEPTION } from "../kinds/segment-exception.ts";
import { SEGMENT_POLICY } from "../kinds/segment-policy.ts";
import type { KubeObject } from "../objects.ts";
import { refuseAt, sourceOf } from "../read-object.ts";
import { readInForce } from "./in-force.ts";
import { namespaceOf } from "./parts.ts";
import { endsOf, sentenceOf, windowOf } from "./sentences.ts";

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
  const waivers = (spec.waive ?? []).map((entry, index) => waiverOf(entry, object, [...specPath, "waive", index]));
  const problems = [deny, allow, ...waivers].flatMap((each) => (each.ok ? [] : each.problems));
  if (!deny.ok || !allow.ok || problems.length > 0) return refuseAll(problems);
  return ok({
    ...definition,
    fences: spec.fences ?? [],
    ...(waivers.length === 0 ? {} : { waivers: waivers.flatMap((each) => (each.ok ? [each.value] : [])) }),
    deny: deny.value,
    allow: allow.value,
  });
}

type WaiverEntry = { readonly loss: LossCode; readonly until: string; readonly rule?: string };

function waiverOf({ loss: code, until, rule }: WaiverEntry, object: KubeObject, path: FieldPath): Result<Waiver> {
  const read = parseInstant(until, pathText([...path, "until"]));
  const source = sourceOf(object, [...path, "until"]);
  const only = rule === undefined ? {} : { rule };
  return read.ok
    ? ok({ code, until: read.value, ...only })
    : refuseAll(read.problems.map((found) => ({ ...found, source })));
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
