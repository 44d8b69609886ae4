import { Type } from "typebox";
import { duration, fields, oneOf, optional, setOf, text, withRules, rule } from "./fields.ts";
import { age, approvalColumns, type Kind } from "./kind.ts";
import { approvedStatus } from "./status.ts";

/** Key types of leaf certificates, as the Kubernetes API names them. */
export const KEY_TYPES = ["ECDSAP256", "ECDSAP384", "ECDSAP521", "RSA3072", "RSA4096", "ED25519"] as const;

const spec = fields(
  "A trust domain: ours, or one that we federate with.",
  {
    domain: text("Host part of every SPIFFE ID of this domain, for example prod-eu.example.org.", 255, {
      pattern: "^[a-z0-9._-]+$",
      form: "a trust domain name of lower-case letters, digits, dots, dashes and underscores",
    }),
    leaf: optional(
      fields("What leaf certificates may be.", {
        maxTTL: optional(duration("Longest lifetime of a leaf certificate, for example 4h.", { default: "4h" })),
        keyType: optional(oneOf("Key type where a role names none.", KEY_TYPES, { default: "ECDSAP256" })),
      }),
    ),
    bundleEndpoint: optional(
      fields("Where the bundle of a federated domain is fetched.", {
        url: text("https URL without user info.", 2048, {
          pattern: "^https://[^@/]+(/.*)?$",
          form: "an https URL without user info",
        }),
        profile: oneOf("How the endpoint is authenticated (SPIFFE Federation §5.2).", ["https_web", "https_spiffe"]),
        endpointSpiffeID: optional(text("SPIFFE ID of the endpoint, for https_spiffe.", 2048)),
      }),
    ),
    approvals: optional(
      fields("Who may approve at all.", {
        required: optional(
          Type.Integer({
            description: "Different people per generation; 0: whoever holds `approve` approves by editing.",
            minimum: 0,
            maximum: 5,
            default: 1,
          }),
        ),
        gitOps: optional(
          setOf(
            "Service accounts whose edits count as approved because Git was the review.",
            text("User name.", 512),
            32,
            { default: [] },
          ),
        ),
      }),
    ),
  },
  withRules(rule("self.domain == oldSelf.domain", "domain is part of every identity and cannot change")),
);

/** Kind TrustDomain: the one named `local` is ours, others are federated. */
export const TRUST_DOMAIN: Kind<typeof spec> = {
  kind: "TrustDomain",
  plural: "trustdomains",
  scope: "Cluster",
  shortNames: ["td"],
  description: "A trust domain. The one named `local` is ours; others are federated and never pooled with it.",
  spec,
  status: approvedStatus(spec, {
    authorities: optional(
      Type.Array(
        Type.Object(
          {
            id: text("Subject key identifier of the authority.", 64),
            root: optional(text("Subject key identifier of its root.", 64)),
            state: text("prepared, published, active, tainted or revoked.", 16),
            since: optional(text("Since when it stands there.", 40, { format: "date-time" })),
            notAfter: text("When it expires.", 40, { format: "date-time" }),
            offline: optional(Type.Boolean({ description: "True: certified by an offline root." })),
            compromised: optional(text("Since when its key counts as stolen.", 40, { format: "date-time" })),
            waits: optional(text("What its next step waits for.", 512)),
            at: optional(text("When that is at the earliest.", 40, { format: "date-time" })),
          },
          { description: "One authority of ours." },
        ),
        {
          description: "Authorities and where each stands in rotation.",
          maxItems: 16,
          "x-kubernetes-list-type": "atomic",
        },
      ),
    ),
    rotation: optional(
      Type.Object(
        {
          stage: text(
            "active: nothing is under way. Else none, requested, chain-needed, awaiting-chain, prepared, published or tainted.",
            32,
          ),
          since: optional(text("Since when.", 40, { format: "date-time" })),
          next: text("What comes next.", 512),
          at: optional(text("When that is at the earliest.", 40, { format: "date-time" })),
          paused: Type.Boolean({ description: "Whether it stands still until somebody resumes it." }),
          settleSeconds: Type.Integer({ description: "How long readers get to have a new root.", minimum: 0 }),
          renewedSeconds: Type.Integer({
            description: "By when after its authority was tainted whoever renews in time has renewed.",
            minimum: 0,
          }),
        },
        { description: "Where the rotation stands as a whole." },
      ),
    ),
    bundle: optional(
      Type.Object(
        {
          sequence: Type.Integer({ description: "Sequence number of the published bundle.", minimum: 0 }),
          fingerprints: Type.Array(text("SHA-256 of a root certificate.", 95), {
            description: "Roots in the bundle.",
            maxItems: 16,
            "x-kubernetes-list-type": "atomic",
          }),
        },
        { description: "The bundle as published." },
      ),
    ),
  }),
  columns: [{ name: "Domain", type: "string", path: ".spec.domain" }, ...approvalColumns, age],
  rules: [],
  approved: true,
};
