import type { Catalogue } from "../../domain/catalogue.ts";
import type { WorkloadEnd } from "../../domain/flow.ts";
import type { Labels } from "../../domain/label-selector.ts";
import {
  CLASSIFICATION_LABEL,
  ENVIRONMENT_LABEL,
  isReservedLabel,
  QUARANTINE_LABEL,
  ROLE_LABEL,
  ROLE_LABEL_PREFIX,
  SEGMENT_LABEL,
} from "../../domain/reserved-keys.ts";
import type { Intent } from "../intent/intent.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import { isInside } from "../model/endpoint.ts";
import { type AddressSet, noAddresses } from "../sets/address-set.ts";

/**
 * The workload as data planes will see it once admission has stamped it, and quarantine marked it: reserved labels are those
 * of its role alone, and an address that is not known is one of the Pod networks.
 */
export function stamped(
  { catalogue, quarantineOf }: Intent,
  podNetworks: AddressSet,
  { end, endpoint }: EffectiveEnd<WorkloadEnd>,
): EffectiveEnd<WorkloadEnd> {
  if (!isInside(endpoint)) return { end, endpoint };
  const { traits } = endpoint;
  const mark = quarantineOf(end) ? { [QUARANTINE_LABEL]: "true" } : {};
  const labels = { ...withoutReserved(traits.labels), ...stampLabels(catalogue, end), ...mark };
  const addresses = noAddresses(traits.addresses) ? podNetworks : traits.addresses;
  return { end, endpoint: { ...endpoint, traits: { ...traits, labels, addresses } } };
}

/** The labels that a stamp writes for an end. */
export function stampLabels(catalogue: Catalogue, end: WorkloadEnd): Labels {
  const { role, segment, environment, classification } = end;
  if (role === undefined) return {};
  const brought = Object.entries(catalogue.roles.get(role)?.labels ?? {});
  return {
    [ROLE_LABEL]: role,
    ...(segment === undefined ? {} : { [SEGMENT_LABEL]: segment }),
    ...(environment === undefined ? {} : { [ENVIRONMENT_LABEL]: environment }),
    ...(classification === undefined ? {} : { [CLASSIFICATION_LABEL]: classification }),
    ...Object.fromEntries(brought.map(([key, value]) => [`${ROLE_LABEL_PREFIX}${key}`, value])),
  };
}

const withoutReserved = (labels: Labels): Labels =>
  Object.fromEntries(Object.entries(labels).filter(([key]) => !isReservedLabel(key)));
