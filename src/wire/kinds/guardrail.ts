import { fields, listOf, oneOf, optional, setOf } from "./fields.ts";
import { age, approvalColumns, type Kind } from "./kind.ts";
import { denial, sentence } from "./sentence.ts";
import { approvedStatus } from "./status.ts";

const guardrailSpec = fields("Rules above all sentences.", {
  fences: optional(
    setOf(
      "Dimensions whose different values are kept apart.",
      oneOf("A dimension.", ["environment", "classification"]),
      2,
    ),
  ),
  deny: optional(listOf("What nobody may do.", denial, 256)),
  allow: optional(listOf("What the platform needs everywhere: DNS, node probes, ingress, monitoring.", sentence, 256)),
});

/** Kind Guardrail. */
export const GUARDRAIL: Kind<typeof guardrailSpec> = {
  kind: "Guardrail",
  plural: "guardrails",
  scope: "Cluster",
  shortNames: ["guard"],
  description: "Cluster-wide rules above all sentences: fences, denies, and what the platform needs.",
  spec: guardrailSpec,
  status: approvedStatus(guardrailSpec),
  columns: [{ name: "Fences", type: "string", path: ".spec.fences" }, ...approvalColumns, age],
  rules: [],
  approved: true,
};
