import type { IssueParts } from "../../ca/issue.ts";
import type { Catalogue } from "../../domain/catalogue.ts";
import { refuseAll, type Result } from "../../domain/problem.ts";
import { composeSpiffeId, type SpiffeId } from "../../domain/spiffe-id.ts";
import { deriveEntitlement } from "../../identity/entitlement.ts";
import type { Bearer } from "../../identity/fit-role.ts";
import { type Holder, restrictedProblem, restrictionOn, restrictionOnGone } from "../../identity/restricted.ts";
import type { Present } from "./present.ts";

/** By what it is known who is restricted. */
type Known = {
  readonly walk: Pick<IssueParts, "lookup">;
  /** All Pods of a namespace that are known, whatever they hold and whether they run or have ended. */
  readonly podsIn: (namespace: string) => readonly Present[];
};

/** The refusal of whichever of these, showing a certificate of that serial number, is restricted first. */
export function restrictedAmong(
  holders: readonly Present[],
  serial: string,
  { walk }: Pick<Known, "walk">,
): Result<never> | undefined {
  const { catalogue } = walk.lookup();
  for (const { bearer, whereabouts } of holders) {
    const identity = identityOf(catalogue, bearer);
    const found = restrictionOn(catalogue.definitions.restrictions, { identity, serial, ...whereabouts });
    if (found) return refuseAll([restrictedProblem(found)]);
  }
  return undefined;
}

/** Who somebody is to a restriction; one that is entitled to nothing, as a node proxy may be, has its account's name alone. */
function identityOf(catalogue: Catalogue, bearer: Bearer): Holder["identity"] {
  const entitled = deriveEntitlement(catalogue, bearer);
  if (!entitled.ok) return { spiffeId: ownName(catalogue, bearer), role: "", segment: "" };
  const { spiffeId, role, segment } = entitled.value;
  return { spiffeId, role: role.name, segment: segment.name };
}

/** The one identity that an account may have. */
export function ownName({ trustDomain }: Catalogue, { namespace, serviceAccount }: Bearer): SpiffeId | undefined {
  const own = composeSpiffeId(trustDomain, namespace, serviceAccount);
  return own.ok ? own.value : undefined;
}

/** Whoever of them it is, or one that has gone. */
export const restrictedAny = (holders: readonly Present[], serial: string, parts: Known): Result<never> | undefined =>
  restrictedAmong(holders, serial, parts) ?? restrictedGone(holders, parts);

/** Machines and functions are of the catalogue, and none of them has gone unseen. */
function restrictedGone(holders: readonly Present[], { walk, podsIn }: Known): Result<never> | undefined {
  const pod = holders.find(({ whereabouts }) => whereabouts.pod);
  if (!pod) return undefined;
  const { namespace, serviceAccount } = pod.bearer;
  const others = podsIn(namespace).filter(({ bearer }) => bearer.serviceAccount !== serviceAccount);
  const { restrictions } = walk.lookup().catalogue.definitions;
  const found = restrictionOnGone(
    restrictions,
    namespace,
    others.map(({ whereabouts }) => whereabouts),
  );
  return found && refuseAll([restrictedProblem(found)]);
}
