import { Type } from "typebox";
import { fields, labelName, listOf, optional, text } from "./fields.ts";
import { age, approvalColumns, type Kind } from "./kind.ts";
import { sentence } from "./sentence.ts";
import { approvedStatus } from "./status.ts";

const policySpec = fields("Sentences of one segment.", {
  segment: labelName("The segment whose owner writes these sentences."),
  allow: listOf("Who may reach whom.", sentence, 256),
});

/** Kind SegmentPolicy. */
export const SEGMENT_POLICY: Kind<typeof policySpec> = {
  kind: "SegmentPolicy",
  plural: "segmentpolicies",
  scope: "Namespaced",
  shortNames: ["segpol"],
  description: "Sentences about roles, written by the owner of the `to` end, or of `from` where `to` is outside.",
  spec: policySpec,
  status: approvedStatus(policySpec, {
    revision: optional(text("Revision of the compiled rules.", 64)),
    targets: optional(
      Type.Array(
        Type.Object(
          { name: text("Name of the target.", 64), losses: Type.Integer({ description: "Losses there.", minimum: 0 }) },
          { description: "One target." },
        ),
        {
          description: "Where the sentences are active, and what each target loses.",
          maxItems: 16,
          "x-kubernetes-list-type": "atomic",
        },
      ),
    ),
  }),
  columns: [{ name: "Segment", type: "string", path: ".spec.segment" }, ...approvalColumns, age],
  rules: [],
  approved: true,
};
