import { type TProperties, type TSchema, Type } from "typebox";

/** Name of a namespaced or cluster-scoped object (RFC 1123 subdomain, apimachinery validation.IsDNS1123Subdomain). */
export const OBJECT_NAME = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
/** Name of a namespace (RFC 1123 label). */
export const NAMESPACE_NAME = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
/** A label's value that is not empty (apimachinery validation.IsValidLabelValue). */
export const LABEL_VALUE = "^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$";
/** Hours, minutes and seconds. */
export const DURATION = "^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?$";

/** A field that may be left out. */
export const optional = Type.Optional;

/** An object whose unknown fields are refused; each field says in its description what it is for. */
export const fields = <T extends TProperties>(description: string, properties: T, options: object = {}) =>
  Type.Object(properties, { description, additionalProperties: false, ...options });

/** A text with a length, so that CEL's cost stays bounded. `form` says in words what a `pattern` asks for. */
export const text = (description: string, maxLength = 1024, options: object = {}) =>
  Type.String({ description, minLength: 1, maxLength, ...options });

/** A CEL rule on the object it stands in; `message` is what `kubectl apply` shows. */
export const rule = (expression: string, message: string) => ({ rule: expression, message });

/** Attaches CEL rules to a schema. */
export const withRules = (...rules: readonly ReturnType<typeof rule>[]) => ({ "x-kubernetes-validations": rules });

const longerThanNothing = rule("self.matches('[1-9]')", "a duration is at least one second");

/** The name of an object. */
export const objectName = (description: string) =>
  text(description, 253, { pattern: OBJECT_NAME, form: "a name of lower-case letters, digits, dashes and dots" });
/** A name that is also stamped as a label's value, hence at most 63 characters. */
export const labelName = (description: string) =>
  text(description, 63, { pattern: LABEL_VALUE, form: "a name of letters, digits, dashes, underscores and dots" });
/** The name of a namespace. */
export const namespaceName = (description: string) =>
  text(description, 63, { pattern: NAMESPACE_NAME, form: "a name of lower-case letters, digits and dashes" });
/** Hours, minutes, seconds. */
export const duration = (description: string, options: object = {}) =>
  text(description, 24, {
    pattern: DURATION,
    form: "a duration in hours, minutes and seconds such as 4h or 1h30m",
    ...withRules(longerThanNothing),
    ...options,
  });
/** An RFC 3339 moment. */
export const moment = (description: string) => text(description, 40, { format: "date-time" });

/** One word of a closed list. */
export const oneOf = <Words extends string[]>(description: string, words: readonly [...Words], options: object = {}) =>
  Type.Enum<Words>(words, { description, ...options });

/** A list without order in which each item may stand once. */
export const setOf = <T extends TSchema>(description: string, items: T, maxItems: number, options: object = {}) =>
  Type.Array(items, { description, maxItems, uniqueItems: true, "x-kubernetes-list-type": "set", ...options });

/** A list whose order counts, or whose items have no key. */
export const listOf = <T extends TSchema>(description: string, items: T, maxItems: number, options: object = {}) =>
  Type.Array(items, { description, maxItems, "x-kubernetes-list-type": "atomic", ...options });

/** A map from texts to texts. */
export const textMap = (description: string, maxProperties = 64, options: object = {}) =>
  Type.Record(Type.String(), Type.String({ description: "The value.", maxLength: 253 }), {
    description,
    maxProperties,
    ...options,
  });

/** Exactly one of the fields is there. */
export const exactlyOne = (names: readonly string[], message: string) =>
  rule(`[${names.map((name) => `has(self.${name})`).join(", ")}].filter(x, x).size() == 1`, message);

/** A Kubernetes label selector. */
export const labelSelector = (description: string) =>
  fields(description, {
    matchLabels: optional(textMap("Labels that must be there with these values.")),
    matchExpressions: optional(
      listOf(
        "Further requirements; all must hold.",
        fields(
          "One requirement on a label.",
          {
            key: text("Key of the label.", 316),
            operator: oneOf("How the label is compared with the values.", ["In", "NotIn", "Exists", "DoesNotExist"]),
            values: optional(
              listOf("Values for In and NotIn.", Type.String({ description: "A value.", maxLength: 63 }), 64),
            ),
          },
          withRules(
            rule(
              "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
              "In and NotIn need values; Exists and DoesNotExist have none",
            ),
          ),
        ),
        32,
      ),
    ),
  });
