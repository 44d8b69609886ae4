/** A Kubernetes object as it is written into a manifest. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>>;
};

/** Which requests a policy looks at; `resources` may name subresources. */
export type Rule = {
  readonly group: string;
  readonly operations: readonly ("CREATE" | "UPDATE" | "DELETE")[];
  readonly resources: readonly string[];
};

/** A CEL expression with a name. */
export type Named = { readonly name: string; readonly expression: string };

/** What must hold, and what is said where it does not: at most 120 characters, for the person at the keyboard. */
export type Check = { readonly expression: string; readonly message: string };

/** A policy of the API server itself, which holds while every webhook is down. */
export type Policy = {
  /** `signet-` is put before it. */
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly namespaces?: { readonly operator: "In" | "NotIn"; readonly names: readonly string[] };
  /** Requests for which one of these does not hold are let pass unseen. */
  readonly conditions?: readonly Named[];
  readonly variables?: readonly Named[];
  /** With the TrustDomain `local` as `params`: what happens while there is none. */
  readonly withoutTrustDomain?: "Allow" | "Deny";
};

export const PART_OF = { "app.kubernetes.io/part-of": "signet" };

const ADMISSION = "admissionregistration.k8s.io/v1";

/** The ValidatingAdmissionPolicy and its binding; an expression that fails refuses (`failurePolicy: Fail`). */
export function validating(policy: Policy & { readonly checks: readonly Check[] }): readonly Manifest[] {
  const validations = policy.checks.map(({ expression, message }) => ({ expression, message, reason: "Forbidden" }));
  return [
    object("ValidatingAdmissionPolicy", policy.name, { ...common(policy), validations }),
    object("ValidatingAdmissionPolicyBinding", policy.name, { ...binding(policy), validationActions: ["Deny"] }),
  ];
}

/** The MutatingAdmissionPolicy and its binding; `change` is an apply configuration. */
export function mutating(policy: Policy & { readonly change: string }): readonly Manifest[] {
  const mutations = [{ patchType: "ApplyConfiguration", applyConfiguration: { expression: policy.change } }];
  return [
    object("MutatingAdmissionPolicy", policy.name, { ...common(policy), reinvocationPolicy: "IfNeeded", mutations }),
    object("MutatingAdmissionPolicyBinding", policy.name, binding(policy)),
  ];
}

const object = (kind: string, name: string, spec: Manifest["spec"]): Manifest => ({
  apiVersion: ADMISSION,
  kind,
  metadata: { name: `signet-${name}`, labels: PART_OF },
  spec,
});

function common(policy: Policy): Manifest["spec"] {
  return {
    failurePolicy: "Fail",
    ...(policy.withoutTrustDomain ? { paramKind: { apiVersion: "signet.dev/v1alpha1", kind: "TrustDomain" } } : {}),
    matchConstraints: {
      matchPolicy: "Equivalent",
      ...(policy.namespaces ? { namespaceSelector: byName(policy.namespaces) } : {}),
      resourceRules: policy.rules.map(({ group, operations, resources }) => ({
        apiGroups: [group],
        apiVersions: ["*"],
        operations,
        resources,
      })),
    },
    ...(policy.conditions ? { matchConditions: policy.conditions } : {}),
    ...(policy.variables ? { variables: policy.variables } : {}),
  };
}

/** The only label of a namespace that nobody can forge. */
const byName = ({ operator, names }: NonNullable<Policy["namespaces"]>) => ({
  matchExpressions: [{ key: "kubernetes.io/metadata.name", operator, values: names }],
});

const binding = ({ name, withoutTrustDomain }: Policy): Manifest["spec"] => ({
  policyName: `signet-${name}`,
  ...(withoutTrustDomain ? { paramRef: { name: "local", parameterNotFoundAction: withoutTrustDomain } } : {}),
});
