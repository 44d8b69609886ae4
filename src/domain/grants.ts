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
 * then every other exception is unsigned. Of several grants under one name the one that was signed last counts.
 */
export function withGrants(definitions: Definitions, { exceptions, only }: SignedGrants): Definitions {
  const granted = new Map<string, Exception>();
  for (const grant of exceptions) if (!isOlder(grant, granted.get(keyOf(grant)))) granted.set(keyOf(grant), grant);
  const kept = definitions.exceptions.flatMap((each): readonly Exception[] => {
    const approved = each.approval.state === "approved" && !only;
    if (approved) granted.delete(keyOf(each));
    if (granted.has(keyOf(each))) return [];
    return [only ? { ...each, approval: { state: "unsigned" } } : each];
  });
  return { ...definitions, exceptions: [...kept, ...granted.values()] };
}

const keyOf = ({ namespace, name }: Exception): string => `${namespace}/${name}`;

const isOlder = (one: Exception, other: Exception | undefined): boolean =>
  (one.grant?.signedAt ?? 0) < (other?.grant?.signedAt ?? 0);
