import type { Role } from "../../domain/definitions.ts";
import type { LabelRequirement, LabelSelector } from "../../domain/label-selector.ts";

/**
 * Whether some set of labels meets every requirement. Exact: keys are independent, and for a key the values that `In` allows
 * are finite; where no `In` stands there is always a value that no `NotIn` names.
 */
export function satisfiable(selector: LabelSelector): boolean {
  const byKey = new Map<string, LabelRequirement[]>();
  for (const requirement of selector) byKey.set(requirement.key, [...(byKey.get(requirement.key) ?? []), requirement]);
  return [...byKey.values()].every(keySatisfiable);
}

function keySatisfiable(requirements: readonly LabelRequirement[]): boolean {
  const of = (operator: LabelRequirement["operator"]) => requirements.filter((each) => each.operator === operator);
  const [first, ...rest] = of("In");
  if (of("DoesNotExist").length > 0) return first === undefined && of("Exists").length === 0;
  if (first === undefined) return true;
  const refused = of("NotIn").flatMap(({ values }) => values);
  return first.values.some((value) => rest.every(({ values }) => values.includes(value)) && !refused.includes(value));
}

/** Whether one workload of an account that both roles cover may fit both: in kind, labels and creator. */
export function canBothFit(a: Role, b: Role): boolean {
  if (!a.match.kinds.some((kind) => b.match.kinds.includes(kind))) return false;
  if (!creatorsMeet(a.match.createdBy, b.match.createdBy)) return false;
  return satisfiable([...a.match.labels, ...b.match.labels]);
}

/** An empty list means whoever creates it. */
const creatorsMeet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === 0 || b.length === 0 || a.some((creator) => b.includes(creator));
