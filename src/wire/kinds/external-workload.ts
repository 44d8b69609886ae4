import { fields, objectName, oneOf, optional, rule, setOf, text, withRules } from "./fields.ts";
import { age, approvalColumns, type Kind } from "./kind.ts";
import { approvedStatus } from "./status.ts";

const JOIN_METHODS = ["boundKeypair", "x509", "oidc", "aws", "azure", "gcp"] as const;

const externalSpec = fields("A machine or a function.", {
  kind: oneOf("What it is.", ["Machine", "Function"]),
  serviceAccount: objectName("The service account whose identity it holds."),
  join: optional(
    fields("How it proves who it is, the first time.", {
      method: oneOf("The way of joining.", JOIN_METHODS),
      publicKey: optional(text("boundKeypair: the key it is bound to, PEM.", 4096)),
      caBundle: optional(text("x509: the authorities of its certificate, PEM.", 65536)),
      issuer: optional(text("oidc: issuer of its tokens.", 2048)),
      subject: optional(text("oidc, x509: the subject that it must show.", 2048)),
      audience: optional(text("oidc: audience of its tokens.", 2048)),
      account: optional(text("aws, azure, gcp: account, subscription or project.", 256)),
      instance: optional(text("aws, azure, gcp: the instance.", 512)),
    }),
  ),
  addresses: optional(
    setOf(
      "Its addresses, for targets that know only these.",
      text("An IP address.", 45, withRules(rule("isIP(self)", "an address is IPv4 or IPv6"))),
      64,
    ),
  ),
});

/** Kind ExternalWorkload. */
export const EXTERNAL_WORKLOAD: Kind<typeof externalSpec> = {
  kind: "ExternalWorkload",
  plural: "externalworkloads",
  scope: "Namespaced",
  shortNames: ["extw"],
  description: "A machine or a function outside the cluster that holds a role like any Pod.",
  spec: externalSpec,
  status: approvedStatus(externalSpec),
  columns: [
    { name: "Kind", type: "string", path: ".spec.kind" },
    { name: "Account", type: "string", path: ".spec.serviceAccount" },
    ...approvalColumns,
    age,
  ],
  rules: [],
  approved: true,
};
