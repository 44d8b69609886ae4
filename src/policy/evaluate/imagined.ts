import { selects } from "../../domain/label-selector.ts";
import type { PodSelector, WrittenSelector } from "../model/policy.ts";

const NAME_LABEL = "kubernetes.io/metadata.name";

/**
 * Whether a rule's selector certainly means a Pod of which only another selector is known. Equal requirements imply each
 * other, and labels that the Pod is known to have are looked at; beyond that nothing is concluded, so a Pod known to be
 * `NotIn [x, y]` is not taken to be `NotIn [x]`. Without a known selector only a selector of everything fits.
 */
export function impliedBy(wanted: PodSelector, known: PodSelector | undefined): boolean {
  if (!known) return isEveryNamespace(wanted) && wanted.pods.length === 0;
  return namespaceImplied(wanted, known) && requirementsImplied(wanted.pods, known.pods);
}

const isEveryNamespace = (selector: PodSelector): boolean =>
  "selector" in selector.namespaces && selector.namespaces.selector.length === 0;

function namespaceImplied(wanted: PodSelector, known: PodSelector): boolean {
  const asked = "name" in wanted.namespaces ? nameOnly(wanted.namespaces.name) : wanted.namespaces.selector;
  const given = "name" in known.namespaces ? nameOnly(known.namespaces.name) : known.namespaces.selector;
  return requirementsImplied(asked, given);
}

const nameOnly = (name: string): WrittenSelector => [
  { key: NAME_LABEL, operator: "In", values: [name], asLabel: true },
];

function requirementsImplied(wanted: WrittenSelector, known: WrittenSelector): boolean {
  const labels = Object.fromEntries(
    known.filter(({ asLabel }) => asLabel).map(({ key, values }) => [key, values[0] ?? ""]),
  );
  const same = new Set(known.map(requirementKey));
  return wanted.every(
    (one) => same.has(requirementKey(one)) || (Object.hasOwn(labels, one.key) && selects([one], labels)),
  );
}

/** Requirements of one meaning have one key, whatever the order of their values. */
const requirementKey = ({ key, operator, values }: WrittenSelector[number]): string =>
  JSON.stringify([key, operator, [...values].sort()]);

/** Selectors of one meaning have one key, whatever the order of their requirements. */
export const selectorKey = (selector: PodSelector): string =>
  JSON.stringify([
    ("name" in selector.namespaces ? nameOnly(selector.namespaces.name) : selector.namespaces.selector)
      .map(requirementKey)
      .sort(),
    selector.pods.map(requirementKey).sort(),
  ]);

/** The name of the one namespace that a selector means, if it says so by name only. */
export function onlyNamespace(selector: PodSelector): string | undefined {
  if ("name" in selector.namespaces) return selector.namespaces.name;
  const [only] = selector.namespaces.selector;
  return selector.namespaces.selector.length === 1 && only?.asLabel && only.key === NAME_LABEL
    ? only.values[0]
    : undefined;
}
