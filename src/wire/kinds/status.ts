import { type TObject, Type } from "typebox";
import { fields, listOf, optional, text } from "./fields.ts";

const condition = Type.Object(
  {
    type: text("What the condition is about, for example Ready.", 316),
    status: text("True, False or Unknown.", 7),
    observedGeneration: optional(Type.Integer({ description: "Generation that the condition speaks of.", minimum: 0 })),
    lastTransitionTime: text("When the status changed last.", 40, { format: "date-time" }),
    reason: text("One CamelCase word for the reason.", 1024),
    message: Type.String({ description: "One sentence for people.", maxLength: 32768 }),
  },
  { description: "One condition, as Kubernetes writes them." },
);

const approval = Type.Object(
  {
    generation: Type.Integer({ description: "Generation that is approved or withdrawn.", minimum: 0 }),
    by: text("User name of the approver, as the API server authenticated it.", 512),
    at: optional(text("When.", 40, { format: "date-time" })),
    reason: optional(text("Why.", 1024)),
    withdraw: optional(Type.Boolean({ description: "True: takes the approved generation out of force." })),
    segment: optional(
      text(
        "Segment that the approver speaks for, holding `approve` on it; asked for where an exception crosses a fence.",
        63,
      ),
    ),
    deny: optional(Type.Boolean({ description: "True: says no to this generation; an older one stays in force." })),
  },
  { description: "One approval. Approvers only add entries." },
);

/** The status that every kind has. */
const common = {
  observedGeneration: optional(Type.Integer({ description: "Generation that Signet has looked at.", minimum: 0 })),
  conditions: optional(
    Type.Array(condition, {
      description: "What Signet found, as conditions.",
      maxItems: 32,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["type"],
    }),
  ),
};

/**
 * A copy of the schema without CEL rules. What was approved was admitted by the rules of its day; to ask them again at every
 * write of status would cost as much as the spec itself, and let a newer Signet's rules lock an older approval out.
 */
function withoutRules<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(withoutRules) as T;
  if (typeof schema !== "object" || schema === null) return schema;
  const kept = Object.entries(schema).filter(([keyword]) => keyword !== "x-kubernetes-validations");
  return Object.fromEntries(kept.map(([keyword, value]) => [keyword, withoutRules(value)])) as T;
}

/** Status of a kind that is approved generation by generation: the last approved one is kept whole. */
export const approvedStatus = (spec: TObject, more: Parameters<typeof Type.Object>[0] = {}) =>
  Type.Object(
    {
      approvals: listOf("Who approved or withdrew which generation; approvers only add.", approval, 64, {
        default: [],
      }),
      approved: optional(
        fields("The generation that is in force. Written by Signet alone.", {
          generation: Type.Integer({ description: "Its generation.", minimum: 0 }),
          spec: { ...withoutRules(spec), description: "Its spec, whole." },
          by: listOf("Who approved it.", text("User name.", 512), 16),
          at: text("When it came into force.", 40, { format: "date-time" }),
          namespaceUIDs: optional(
            Type.Record(Type.String(), Type.String({ description: "A UID.", maxLength: 64 }), {
              description: "UIDs of the namespaces granted by name, as they were at approval.",
              maxProperties: 256,
            }),
          ),
        }),
      ),
      ...common,
      ...more,
    },
    { description: "Approvals, and what Signet found.", default: { approvals: [] } },
  );
