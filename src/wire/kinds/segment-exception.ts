import { exactlyOne, fields, labelName, moment, optional, rule, text, withRules } from "./fields.ts";
import { age, approvalColumns, type Kind } from "./kind.ts";
import { grantedSentence } from "./sentence.ts";
import { approvedStatus } from "./status.ts";

const permit = fields(
  "What is granted: a check on workloads, or a connection.",
  {
    check: optional(
      text("The check that is passed: hostPath, hostNetwork, privileged, capability:NET_ADMIN …", 128, {
        form: "a check that can be passed",
        pattern:
          "^(hostNetwork|hostPID|hostIPC|hostProcess|privileged|signerVolume|uncoveredInterfaces|hostPath|capability:[A-Z][A-Z0-9_]*)$",
      }),
    ),
    path: optional(
      text("For hostPath: the path, with all below it.", 4096, { pattern: "^/.*", form: "an absolute path" }),
    ),
    sentence: optional(grantedSentence),
  },
  withRules(
    exactlyOne(["check", "sentence"], "grant either a check or a sentence"),
    rule(
      "!has(self.check) || (self.check == 'hostPath') == has(self.path)",
      "path belongs to check: hostPath, which needs one",
    ),
  ),
);

const exceptionSpec = fields(
  "A grant with an end.",
  {
    permit,
    workloads: fields("For whom.", { role: labelName("Workloads that hold this role.") }),
    reason: text("Why it is needed.", 1024),
    ticket: optional(text("Where it was decided.", 256)),
    notBefore: optional(moment("From when on it counts.")),
    expires: moment("When it ends. Mandatory."),
  },
  withRules(
    rule(
      "!has(self.notBefore) || timestamp(self.notBefore) < timestamp(self.expires)",
      "notBefore must lie before expires",
    ),
  ),
);

/** Kind SegmentException. */
export const SEGMENT_EXCEPTION: Kind<typeof exceptionSpec> = {
  kind: "SegmentException",
  plural: "segmentexceptions",
  scope: "Namespaced",
  shortNames: ["segex"],
  description: "A grant with a reason, an approver and an end, that an annotation may point to.",
  spec: exceptionSpec,
  status: approvedStatus(exceptionSpec),
  columns: [
    { name: "Role", type: "string", path: ".spec.workloads.role" },
    { name: "Check", type: "string", path: ".spec.permit.check" },
    { name: "Expires", type: "string", path: ".spec.expires" },
    ...approvalColumns,
    { name: "Reason", type: "string", path: ".spec.reason", wide: true },
    age,
  ],
  rules: [],
  approved: true,
};
