import { approvalPolicies } from "./approvals.ts";
import { deletionPolicies } from "./deletions.ts";
import { editorPolicies } from "./editors.ts";
import { guards } from "./guards.ts";
import type { Manifest } from "./policy-object.ts";

/** All that the API server itself holds for Signet, whether its webhooks live or not: policies, each before its binding. */
export const admissionPolicies = (): readonly Manifest[] => [
  ...guards(),
  ...editorPolicies(),
  ...approvalPolicies(),
  ...deletionPolicies(),
];
