import type { Definitions } from "../../domain/catalogue.ts";
import type { Approval, Exception, Role, Segment } from "../../domain/definitions.ts";
import { ok, type Result } from "../../domain/problem.ts";
import type { SegmentPolicy } from "../../domain/sentences.ts";
import { readDefinitions } from "../../wire/definitions.ts";
import type { KubeObject } from "../../wire/objects.ts";

/** What an object would be if its spec, as it stands, came into force; nothing for kinds that conflict with nobody. */
export type Candidate = {
  readonly segment?: Segment;
  readonly role?: Role;
  readonly policy?: SegmentPolicy;
  readonly exception?: Exception;
};

/** Reads the definition of an object's newest spec, whatever generation of it is in force. */
export function readCandidate(object: KubeObject): Result<Candidate> {
  const { status: _approvals, ...bare } = object.raw;
  const read = readDefinitions([{ ...object, raw: bare }]);
  if (!read.ok) return read;
  const [segment, role] = [read.value.segments[0], read.value.roles[0]];
  const [policy, exception] = [read.value.policies[0], read.value.exceptions[0]];
  return ok({
    ...(segment ? { segment } : {}),
    ...(role ? { role } : {}),
    ...(policy ? { policy } : {}),
    ...(exception ? { exception } : {}),
  });
}

/** The definitions as they would be with the candidate in force; only roles and segments can be in each other's way. */
export function withCandidate(
  definitions: Definitions,
  { role, segment }: Candidate,
  approval: Approval,
  namespaceUids: Readonly<Record<string, string>>,
): Definitions {
  if (role) return { ...definitions, roles: replaced(definitions.roles, { ...role, approval }) };
  if (segment)
    return { ...definitions, segments: replaced(definitions.segments, { ...segment, approval, namespaceUids }) };
  return definitions;
}

const replaced = <T extends { readonly name: string }>(all: readonly T[], one: T): readonly T[] => [
  ...all.filter(({ name }) => name !== one.name),
  one,
];
