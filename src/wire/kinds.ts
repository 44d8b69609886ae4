import { EXTERNAL_WORKLOAD } from "./kinds/external-workload.ts";
import { GUARDRAIL } from "./kinds/guardrail.ts";
import type { Kind } from "./kinds/kind.ts";
import { RESTRICTION } from "./kinds/restriction.ts";
import { SEGMENT } from "./kinds/segment.ts";
import { SEGMENT_EXCEPTION } from "./kinds/segment-exception.ts";
import { SEGMENT_POLICY } from "./kinds/segment-policy.ts";
import { TRUST_DOMAIN } from "./kinds/trust-domain.ts";
import { WORKLOAD_ROLE } from "./kinds/workload-role.ts";

/** Signet's eight kinds, in the order in which one would write them. */
export const KINDS: readonly Kind[] = [
  TRUST_DOMAIN,
  SEGMENT,
  WORKLOAD_ROLE,
  SEGMENT_POLICY,
  GUARDRAIL,
  SEGMENT_EXCEPTION,
  EXTERNAL_WORKLOAD,
  RESTRICTION,
];
