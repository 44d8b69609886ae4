import { exactlyOne, fields, labelName, objectName, oneOf, optional, rule, text, withRules } from "./fields.ts";
import { age, type Kind } from "./kind.ts";
import { approvedStatus } from "./status.ts";

const namedObject = (description: string) =>
  fields(description, {
    namespace: optional(text("Its namespace.", 63)),
    name: objectName("Its name."),
    uid: optional(text("Its UID; another object of that name is not meant.", 64)),
  });

const TARGET_FIELDS = ["identity", "serial", "pod", "virtualMachine", "node", "segment", "role"] as const;

const restrictionSpec = fields(
  "A quarantine or a revocation.",
  {
    target: fields(
      "Whom it concerns.",
      {
        identity: optional(text("A SPIFFE ID.", 2048, { pattern: "^spiffe://.+", form: "a SPIFFE ID" })),
        serial: optional(
          text("Serial number of a certificate, in hexadecimal.", 64, {
            pattern: "^[0-9a-f]+$",
            form: "a serial number in lower-case hexadecimal",
          }),
        ),
        pod: optional(namedObject("A Pod.")),
        virtualMachine: optional(namedObject("A virtual machine.")),
        node: optional(namedObject("A node, and all that runs on it.")),
        segment: optional(labelName("All of a segment.")),
        role: optional(labelName("All that hold a role.")),
      },
      withRules(exactlyOne(TARGET_FIELDS, `name exactly one of ${TARGET_FIELDS.join(", ")}`)),
    ),
    effect: oneOf("quarantine: cut off; revoke: its certificates are no longer accepted.", ["quarantine", "revoke"]),
    reason: text("Why.", 1024),
    ticket: optional(text("Where it was decided.", 256)),
  },
  withRules(rule("self == oldSelf", "a Restriction cannot be changed; lift it and make another")),
);

/** Kind Restriction. */
export const RESTRICTION: Kind<typeof restrictionSpec> = {
  kind: "Restriction",
  plural: "restrictions",
  scope: "Cluster",
  shortNames: ["restr"],
  description: "A quarantine or a revocation, made by `signet quarantine` and `signet revoke`.",
  spec: restrictionSpec,
  status: approvedStatus(restrictionSpec),
  columns: [
    { name: "Effect", type: "string", path: ".spec.effect" },
    { name: "Reason", type: "string", path: ".spec.reason" },
    age,
  ],
  rules: [],
  approved: true,
};
