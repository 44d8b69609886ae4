import type { Catalogue } from "../../domain/catalogue.ts";
import type { WorkloadEnd } from "../../domain/flow.ts";
import type { Labels } from "../../domain/label-selector.ts";
import {
  CLASSIFICATION_LABEL,
  ENVIRONMENT_LABEL,
  isReservedLabel,
  ROLE_LABEL,
  ROLE_LABEL_PREFIX,
  SEGMENT_LABEL,
} from "../../domain/reserved-keys.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import { isInside } from "../model/endpoint.ts";

/** The workload as data planes will see it once admission has stamped it: reserved labels are those of its role alone. */
export function stamped(catalogue: Catalogue, { end, endpoint }: EffectiveEnd<WorkloadEnd>): EffectiveEnd<WorkloadEnd> {
  if (!isInside(endpoint)) return { end, endpoint };
  const labels = { ...withoutReserved(endpoint.traits.labels), ...stampLabels(catalogue, end) };
  return { end, endpoint: { ...endpoint, traits: { ...endpoint.traits, labels } } };
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
