import type { WrittenSelector } from "../model/policy.ts";
import {
  at,
  type Field,
  items,
  mapOrAbsent,
  onlyKnown,
  optionalText,
  refuseField,
  requiredText,
  requiredWord,
  textMap,
  warnField,
} from "./field.ts";

const OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist"] as const;
const NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const PREFIX = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** Reads a Kubernetes label selector; absent and empty select everything. Bad keys, values and operators refuse it. */
export function readSelector(field: Field): WrittenSelector {
  if (!mapOrAbsent(field)) return [];
  onlyKnown(field, ["matchLabels", "matchExpressions"]);
  const labels = at(field, "matchLabels");
  if (labels.value === null)
    warnField(
      labels,
      "SELECTOR_NULL",
      "matchLabels is written but holds nothing, so this selects everything.",
      "Write `{}` if that is meant.",
    );
  const equal = Object.entries(textMap(labels)).map(([key, value]): WrittenSelector[number] => {
    checkKey(at(labels, key), key);
    checkValue(at(labels, key), value);
    return { key, operator: "In", values: [value], asLabel: true };
  });
  return [...equal, ...items(at(field, "matchExpressions")).map(readRequirement)];
}

function readRequirement(field: Field): WrittenSelector[number] {
  onlyKnown(field, ["key", "operator", "values"]);
  const key = requiredText(at(field, "key"));
  if (key !== "") checkKey(at(field, "key"), key);
  const operator = requiredWord(at(field, "operator"), OPERATORS) ?? "In";
  const values = items(at(field, "values")).map((value) => {
    const text = optionalText(value) ?? "";
    checkValue(value, text);
    return text;
  });
  const takesValues = operator === "In" || operator === "NotIn";
  if (takesValues !== values.length > 0)
    refuseField(
      at(field, "values"),
      "FIELD_INVALID",
      `${operator} needs ${takesValues ? "at least one value" : "no values"}.`,
    );
  return { key, operator, values, asLabel: false };
}

/** A label key: an optional DNS name, a slash, and up to 63 letters, digits, dashes, underscores, dots. */
function isLabelKey(key: string): boolean {
  const slash = key.lastIndexOf("/");
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  return NAME.test(key.slice(slash + 1)) && (prefix === undefined || (prefix.length <= 253 && PREFIX.test(prefix)));
}

/** A label value: empty, or up to 63 letters, digits, dashes, underscores, dots. */
const isLabelValue = (value: string): boolean => value === "" || NAME.test(value);

function checkKey(field: Field, key: string): void {
  if (!isLabelKey(key))
    refuseField(field, "FIELD_INVALID", `"${key}" cannot be the key of a label, so this selector means nothing.`);
}

function checkValue(field: Field, value: string): void {
  if (!isLabelValue(value))
    refuseField(field, "FIELD_INVALID", `"${value}" cannot be the value of a label, so this selector means nothing.`);
}
