import { EDITORS_ANNOTATION } from "../../domain/reserved-keys.ts";
import { KINDS } from "../kinds.ts";
import { GROUP } from "../kinds/kind.ts";
import { allowed, quoted } from "./cel.ts";
import type { Named, Rule } from "./policy-object.ts";

/** The kinds that are approved generation by generation. */
export const APPROVED = KINDS.filter(({ approved }) => approved);

/** A rule on resources of Signet's group. */
export const onResources = (operations: Rule["operations"], resources: readonly string[]): readonly Rule[] => [
  { group: GROUP, operations, resources },
];

/** The list of editors of an object, or an empty text. */
export const editorsOf = (object: string): string =>
  `${object}.metadata.?annotations[${quoted(EDITORS_ANNOTATION)}].orValue('')`;

/** Whether the caller holds `approve` on the object of the request, whatever its kind and scope. */
export const mayApprove = (object: string): string =>
  allowed(
    "approve",
    "request.resource.resource",
    `${object}.metadata.name`,
    `${object}.metadata.?namespace.orValue('')`,
  );

/** The caller's name as the list of editors holds it: commas and percent signs are escaped. */
export const ME = "request.userInfo.username.replace('%', '%25').replace(',', '%2C')";

/** The terms in force: those of our TrustDomain's approved generation, and not of an edit that nobody has approved. */
export const TERMS: readonly Named[] = [
  { name: "required", expression: "params.?status.approved.spec.approvals.required.orValue(1)" },
  { name: "git", expression: "params.?status.approved.spec.approvals.gitOps.orValue([])" },
];
