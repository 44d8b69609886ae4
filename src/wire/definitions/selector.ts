import type { LabelRequirement, LabelSelector } from "../../domain/label-selector.ts";
import type { Problem } from "../../domain/problem.ts";

/** A Kubernetes label selector as the schemas read it. */
export type RawSelector = {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: LabelRequirement["operator"];
    readonly values?: readonly string[];
  }[];
};

/** The selector as a list of requirements; none selects everything. */
export const selectorOf = (raw: RawSelector | undefined): LabelSelector => [
  ...Object.entries(raw?.matchLabels ?? {}).map(([key, value]) => ({ key, operator: "In" as const, values: [value] })),
  ...(raw?.matchExpressions ?? []).map(({ key, operator, values }) => ({ key, operator, values: values ?? [] })),
];

/** Index of the first requirement that In and NotIn cannot mean: one without values; or Exists with values. */
export function senselessRequirement(raw: RawSelector | undefined): number | undefined {
  const index = (raw?.matchExpressions ?? []).findIndex(
    ({ operator, values }) => (operator === "In" || operator === "NotIn") === ((values ?? []).length === 0),
  );
  return index === -1 ? undefined : index;
}

/** What is said of such a requirement. */
export const SENSELESS: Omit<Problem, "path" | "source"> = {
  code: "FIELD_INVALID",
  message: "This requirement has no meaning.",
  mend: "In and NotIn need values; Exists and DoesNotExist have none.",
};
