import { LOSS_CODES } from "../../domain/loss-codes.ts";
import { WAIVED_BY_NAME } from "../../domain/sentences.ts";
import { fields, listOf, moment, oneOf, optional, rule, setOf, text, withRules } from "./fields.ts";
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
  waive: optional(
    listOf(
      "Kinds of losses that keep nothing from being published until an end, although more is let through than is meant.",
      fields(
        "One kind of loss.",
        {
          loss: oneOf("Its code, as `signet policy compile` reports it.", LOSS_CODES),
          rule: optional(
            text("Of this rule or object alone, as the report names it: `CiliumNetworkPolicy payments/open`.", 512),
          ),
          until: moment("Until when."),
          why: text("The reason.", 1024),
          ticket: optional(text("Where it was decided.", 256)),
        },
        withRules(
          ...[...WAIVED_BY_NAME].map((code) =>
            rule(
              `self.loss != '${code}' || has(self.rule)`,
              `a waiver of ${code} names in \`rule\` what was looked at`,
            ),
          ),
        ),
      ),
      32,
    ),
  ),
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
