import { Type } from "typebox";
import { duration, fields, labelName, namespaceName, oneOf, optional, setOf, text } from "./fields.ts";
import { age, approvalColumns, type Kind, shortName } from "./kind.ts";
import { approvedStatus } from "./status.ts";

const spec = fields("A room that roles live in.", {
  environment: optional(labelName("prod, test …; fences keep different values apart.")),
  classification: optional(
    labelName(
      "pci, health …; brings isolation: strict, policyApproval: required and leaf.maxTTL: 1h where these are not written.",
    ),
  ),
  owner: optional(text("Who answers for it: an address or a team.", 253)),
  namespaces: optional(
    setOf(
      "Namespaces of the segment by name; besides these, all that carry the guarded label signet.dev/segment with its name.",
      namespaceName("Name of a namespace."),
      256,
      { default: [] },
    ),
  ),
  isolation: optional(
    oneOf("strict: none of these namespaces may also hold roles of another segment. Default shared.", [
      "strict",
      "shared",
    ]),
  ),
  intra: optional(
    oneOf("Whether roles inside may reach each other without a sentence.", ["deny", "allow"], { default: "deny" }),
  ),
  policyApproval: optional(
    oneOf("Whether a SegmentPolicy of this segment needs approval. Default none.", ["required", "none"]),
  ),
  mode: optional(
    oneOf(
      "observe and simulate only watch; canary enforces for those named; enforce for all.",
      ["observe", "simulate", "canary", "enforce"],
      {
        default: "observe",
      },
    ),
  ),
  modeWhy: optional(text("Why it is in this mode; `signet segment promote` and `demote` write it.", 1024)),
  canary: optional(
    fields("For whom mode canary enforces.", {
      workloads: optional(
        setOf("Names of workloads: NAME, KIND/NAME or NAMESPACE/NAME.", text("A workload.", 253), 256),
      ),
      namespaces: optional(setOf("Names of namespaces.", namespaceName("A namespace."), 64)),
    }),
  ),
  fallback: optional(
    oneOf("observe: a watchdog may fall back to observe by itself, and says so in status.", ["observe"]),
  ),
  leaf: optional(
    fields("Limits on certificates of its roles.", {
      maxTTL: optional(duration("Longest lifetime of a leaf certificate.")),
    }),
  ),
  exceptions: optional(
    fields("Limits on exceptions for its roles.", {
      maxDuration: optional(
        duration(
          "Longest an exception may last, for example 168h. Default 2160h; 744h where there is a classification.",
        ),
      ),
    }),
  ),
});

/** Kind Segment. */
export const SEGMENT: Kind<typeof spec> = {
  kind: "Segment",
  plural: "segments",
  scope: "Cluster",
  shortNames: ["seg"],
  description:
    "The room that roles live in: its namespaces, environment, classification and how strongly it is enforced.",
  spec,
  status: approvedStatus(spec, {
    fallback: optional(
      Type.Object(
        {
          mode: text("Mode that is in force instead.", 16),
          since: text("Since when.", 40, { format: "date-time" }),
          why: text("Why.", 1024),
        },
        { description: "Set by Signet's watchdog where the approved spec allows a fallback." },
      ),
    ),
  }),
  columns: [
    { name: "Environment", type: "string", path: ".spec.environment" },
    { name: "Classification", type: "string", path: ".spec.classification" },
    { name: "Mode", type: "string", path: ".spec.mode" },
    ...approvalColumns,
    { name: "Owner", type: "string", path: ".spec.owner", wide: true },
    age,
  ],
  rules: [shortName],
  approved: true,
};
