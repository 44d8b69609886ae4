import { expect, test } from "vitest";
import { admissionPolicies } from "../../../src/wire/manifests/admission-policies.ts";
import { listed, quoted } from "../../../src/wire/manifests/cel.ts";

type Rule = { readonly operations: readonly string[]; readonly resources: readonly string[] };
type Read = {
  readonly matchConstraints: { readonly resourceRules: readonly Rule[]; readonly namespaceSelector?: unknown };
  readonly matchConditions?: readonly { readonly name: string }[];
  readonly failurePolicy: string;
  readonly validations?: readonly { readonly message: string; readonly reason: string }[];
};

const policies = admissionPolicies()
  .filter(({ kind }) => kind.endsWith("Policy"))
  .map(({ metadata, kind, spec }) => ({ name: metadata.name, kind, spec: spec as Read }));

test("each policy has its binding, right after it", () => {
  const all = admissionPolicies();
  const pairs = all.flatMap(({ kind, metadata }, index) => {
    const next = all[index + 1];
    return kind.endsWith("Policy") ? [[`${kind}Binding ${metadata.name}`, `${next?.kind} ${next?.metadata.name}`]] : [];
  });
  for (const [wanted, found] of pairs) expect(found).toBe(wanted);
  expect(all.length).toBe(pairs.length * 2);
});

test("what a policy cannot evaluate it refuses", () => {
  for (const { spec } of policies) expect(spec.failurePolicy).toBe("Fail");
});

test("each refusal is one sentence of at most 120 characters", () => {
  for (const { spec } of policies)
    for (const { message, reason } of spec.validations ?? []) {
      expect(message.length, message).toBeLessThanOrEqual(120);
      expect(message).toMatch(/[.`]$/);
      expect(reason).toBe("Forbidden");
    }
});

test("creating an ordinary Pod is looked at by none of them", () => {
  const onPods = policies.filter(({ spec }) =>
    spec.matchConstraints.resourceRules.some(
      ({ operations, resources }) => operations.includes("CREATE") && resources.includes("pods"),
    ),
  );
  const narrowed = onPods.map(({ name, spec }) => ({
    name,
    namespaces: spec.matchConstraints.namespaceSelector,
    conditions: spec.matchConditions?.map(({ name }) => name),
  }));
  const values = ["kube-node-lease", "kube-public", "kube-system", "signet-system"];
  expect(narrowed).toEqual([
    {
      name: "signet-births-exempt",
      namespaces: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values }] },
      conditions: ["not-signet"],
    },
    { name: "signet-births-mirror", namespaces: undefined, conditions: ["by-a-node"] },
  ]);
});

test("a text in an expression cannot end it", () => {
  expect(quoted("it's \\ here")).toBe("'it\\'s \\\\ here'");
  expect(listed(["a", "b"])).toBe("['a', 'b']");
});
