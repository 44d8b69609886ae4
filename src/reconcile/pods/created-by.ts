import type { Catalogue } from "../../domain/catalogue.ts";
import { ROLE_LABEL } from "../../domain/reserved-keys.ts";
import type { Workload } from "../../domain/workload.ts";

/**
 * A running workload as it was created. Who created it is not written on it; where its stamp names a role that asks for a
 * creator, admission has seen one of these, and nobody else can have written the stamp.
 */
export function asCreated(catalogue: Catalogue, workload: Workload): Workload {
  const stamped = Object.hasOwn(workload.ownLabels, ROLE_LABEL) ? workload.ownLabels[ROLE_LABEL] : undefined;
  const [creator] = (stamped === undefined ? undefined : catalogue.roles.get(stamped)?.match.createdBy) ?? [];
  return workload.creator !== undefined || creator === undefined ? workload : { ...workload, creator };
}
