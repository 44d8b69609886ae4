import type { Definitions } from "./catalogue.ts";
import type { Exception } from "./definitions.ts";

/** What signatures grant where no server keeps approvals, or where its approvals are not to be believed. */
export type SignedGrants = {
  readonly exceptions: readonly Exception[];
  /** Nothing else grants an exception: approvals of a folder or a cluster count for nothing. */
  readonly only: boolean;
};

/**
 * Whether an exception is for the namespace that is there under its name. A signature is bound to a UID: in one that was made
 * anew, or whose UID is not known, it grants nothing.
 */
export const isOfNamespace = (
  { namespaces }: Pick<Definitions, "namespaces">,
  { namespace, grant }: Exception,
): boolean => grant === undefined || grant.namespaceUid === namespaces.find(({ name }) => name === namespace)?.uid;

/**
 * The definitions with what is granted by signature. What a server approved stands as it is, unless only signatures grant:
 * then every other exception is unsigned. Each grant counts by itself, whatever else is granted under its name: the last one
 * that was signed comes first.
 */
export function withGrants(definitions: Definitions, { exceptions, only }: SignedGrants): Definitions {
  const granted = new Set(exceptions.map(keyOf));
  const kept = definitions.exceptions.flatMap((each): readonly Exception[] => {
    if (each.approval.state === "approved" && !only) return [each];
    if (granted.has(keyOf(each))) return [];
    return [only ? { ...each, approval: { state: "unsigned" } } : each];
  });
  const lastFirst = [...exceptions].sort((a, b) => (b.grant?.signedAt ?? 0) - (a.grant?.signedAt ?? 0));
  return { ...definitions, exceptions: [...kept, ...lastFirst] };
}

const keyOf = ({ namespace, name }: Exception): string => `${namespace}/${name}`;
