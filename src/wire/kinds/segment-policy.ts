import { Type } from "typebox";
import { fields, labelName, listOf, optional, text } from "./fields.ts";
import { age, approvalColumns, type Kind } from "./kind.ts";
import { sentence } from "./sentence.ts";
import { approvedStatus } from "./status.ts";

const policySpec = fields("Sentences of one segment.", {
  segment: labelName("The segment whose owner writes these sentences."),
  allow: listOf("Who may reach whom.", sentence, 256),
});

const count = (description: string) => Type.Integer({ description, minimum: 0 });

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
          {
            name: text("Name of the target.", 64),
            objects: count("Compiled objects that its sentences are in."),
            active: count("Those of them that stand in the cluster as they are meant."),
            losses: count("Losses there."),
          },
          { description: "One target." },
        ),
        {
          description: "Where the sentences are active, and how much each target loses.",
          maxItems: 16,
          "x-kubernetes-list-type": "atomic",
        },
      ),
    ),
    losses: optional(
      Type.Array(
        Type.Object(
          {
            target: text("Name of the target, or of several that act together.", 256),
            code: text("Code of the loss; docs/targets says what each means.", 64),
            effect: text("narrower, wider or unenforced.", 16),
            path: text("Which sentence, for example spec.allow[0].", 256),
            pairs: count("Pairs of workloads that it concerns."),
            example: optional(text("One of the pairs.", 512)),
          },
          { description: "One loss." },
        ),
        { description: "What the targets lose.", maxItems: 32, "x-kubernetes-list-type": "atomic" },
      ),
    ),
  }),
  columns: [
    { name: "Segment", type: "string", path: ".spec.segment" },
    ...approvalColumns,
    { name: "Published", type: "string", path: '.status.conditions[?(@.type=="Published")].status' },
    age,
  ],
  rules: [],
  approved: true,
};
