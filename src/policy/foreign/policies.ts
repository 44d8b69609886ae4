import { problem } from "../../domain/problem.ts";
import { type Policy, type PolicyKind, policyText } from "../model/policy.ts";
import { networkName } from "./attachments.ts";
import { at, optionalText, warnField } from "./field.ts";
import { kindOf } from "./kinds.ts";
import { readNetworkPolicy } from "./network-policy.ts";
import type { Opened } from "./object.ts";
import { readStrictly, type Sheet } from "./sheet.ts";
import { readAdminPolicy, readBaselinePolicy, readClusterPolicy } from "./tiered-kinds.ts";

/** Reads every policy among the objects, in order; two of one name, or of one priority where that decides, refuse. */
export function readPolicies(
  sheet: Sheet,
  objects: readonly Opened[],
  attachments: ReadonlySet<string>,
): readonly Policy[] {
  const found = objects.filter((opened) => POLICY_KINDS.has(kindOf(opened)));
  const policies = readStrictly(sheet, found, (opened) => readPolicy(opened, attachments));
  refuseTwins(sheet, policies);
  judgePriorities(sheet, policies);
  return policies;
}

const POLICY_KINDS: ReadonlySet<string> = new Set<PolicyKind>([
  "NetworkPolicy",
  "MultiNetworkPolicy",
  "AdminNetworkPolicy",
  "BaselineAdminNetworkPolicy",
  "ClusterNetworkPolicy",
]);

function readPolicy(opened: Opened, attachments: ReadonlySet<string>): Policy | undefined {
  switch (kindOf(opened)) {
    case "NetworkPolicy":
      return readNetworkPolicy(opened, "NetworkPolicy");
    case "MultiNetworkPolicy":
      return { ...readNetworkPolicy(opened, "MultiNetworkPolicy"), networks: policyFor(opened, attachments) };
    case "AdminNetworkPolicy":
      return readAdminPolicy(opened);
    case "BaselineAdminNetworkPolicy":
      return readBaselinePolicy(opened);
    case "ClusterNetworkPolicy":
      return readClusterPolicy(opened);
    default:
      return undefined;
  }
}

/** The networks that a MultiNetworkPolicy names in its annotation and that exist. */
function policyFor(opened: Opened, attachments: ReadonlySet<string>): NonNullable<Policy["networks"]> {
  const field = at(opened.root, "metadata", "annotations", "k8s.v1.cni.cncf.io/policy-for");
  const named = (optionalText(field) ?? "")
    .split(",")
    .filter((name) => name.trim() !== "")
    .map((name) => networkName(name, opened.namespace));
  const known = named.filter((network) => attachments.has(`${network.namespace}/${network.name}`));
  if (known.length < named.length || named.length === 0)
    warnField(
      field,
      "NETWORK_IGNORED",
      "This policy names no network, or one that has no NetworkAttachmentDefinition in the input.",
    );
  return known;
}

/** Two policies of one name; those that the API server names itself (`generateName`) are two. */
function refuseTwins(sheet: Sheet, policies: readonly Policy[]): void {
  const seen = new Map<string, Policy>();
  for (const policy of policies.filter(({ name }) => !name.endsWith("*"))) {
    const key = policy.kind === "BaselineAdminNetworkPolicy" ? policy.kind : policyText(policy);
    const first = seen.get(key);
    if (first)
      sheet.refused.push({
        ...problem(
          "OBJECT_DUPLICATE",
          "metadata.name",
          `${policyText(policy)}: there is another one, at ${placeOf(first)}.`,
        ),
        source: policy.locate(["metadata", "name"]),
      });
    else seen.set(key, policy);
  }
}

/** Equal priorities: an error for AdminNetworkPolicy; allowed and undefined for ClusterNetworkPolicy, hence a warning. */
function judgePriorities(sheet: Sheet, policies: readonly Policy[]): void {
  const seen = new Map<string, Policy>();
  for (const policy of policies) {
    if (policy.kind !== "AdminNetworkPolicy" && policy.kind !== "ClusterNetworkPolicy") continue;
    const key = `${policy.kind} ${policy.tier} ${policy.priority}`;
    const first = seen.get(key);
    if (!first) {
      seen.set(key, policy);
      continue;
    }
    const message = `${policyText(policy)}: the priority ${policy.priority} is also that of ${policyText(first)} at ${placeOf(first)}.`;
    const found = {
      ...problem("POLICY_PRIORITY_SHARED", "spec.priority", message),
      source: policy.locate(["spec", "priority"]),
    };
    (policy.kind === "AdminNetworkPolicy" ? sheet.refused : sheet.warned).push(found);
  }
}

const placeOf = (policy: Policy): string => {
  const { file, line } = policy.locate([]);
  return `${file}:${line}`;
};
