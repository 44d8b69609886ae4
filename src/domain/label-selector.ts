/** Labels or annotations: a flat map of texts. */
export type Labels = Readonly<Record<string, string>>;

/** One `matchExpressions` row of a Kubernetes label selector. */
export type LabelRequirement = {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values: readonly string[];
};

/** A Kubernetes label selector as a list of requirements that must all hold; an empty list selects everything. */
export type LabelSelector = readonly LabelRequirement[];

/** Whether the labels meet every requirement (apimachinery labels.Selector: NotIn holds where the key is absent). */
export const selects = (selector: LabelSelector, labels: Labels): boolean =>
  selector.every((requirement) => meets(requirement, labels));

function meets({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}
