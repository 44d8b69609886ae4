import { Type } from "typebox";
import { duration, fields, oneOf, optional, setOf, text, withRules, rule } from "./fields.ts";
import { age, approvalColumns, type Kind } from "./kind.ts";
import { approvedStatus } from "./status.ts";
import { MOST_BUNDLE_KEYS } from "../trust-bundle.ts";

/** Key types of leaf certificates, as the Kubernetes API names them. */
export const KEY_TYPES = ["ECDSAP256", "ECDSAP384", "ECDSAP521", "RSA3072", "RSA4096", "ED25519"] as const;

/** Longest bootstrap bundle, in characters: a dozen roots. */
const MOST_BOOTSTRAP = 65_536;
/** What a bundle endpoint must fit, in words; the reader of files says the same. */
export const ENDPOINT_PROFILE = "https_spiffe needs endpointSpiffeID and bootstrapBundle, https_web has neither";
export const ENDPOINT_DOMAIN = "endpointSpiffeID belongs to the same domain";

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
      fields(
        "Where the bundle of a federated domain is fetched (SPIFFE Federation §5).",
        {
          url: text("https URL without user info.", 2048, {
            pattern: "^https://[^@/\\\\\\s#]+(/[^\\\\\\s#]*)?$",
            form: "an https URL without user info and fragment",
          }),
          profile: oneOf(
            "How the endpoint is authenticated: https_web by the authorities of the web, https_spiffe by its SPIFFE ID.",
            ["https_web", "https_spiffe"],
          ),
          endpointSpiffeID: optional(
            text("For https_spiffe: SPIFFE ID of the endpoint, in the same domain.", 2048, {
              pattern: "^spiffe://[a-z0-9._-]+(/[a-zA-Z0-9._-]+)+$",
              form: "the SPIFFE ID of a workload",
            }),
          ),
          bootstrapBundle: optional(
            text(
              "For https_spiffe: the domain's SPIFFE bundle in JSON, by which the endpoint is verified until one was fetched.",
              MOST_BOOTSTRAP,
            ),
          ),
        },
        withRules(
          rule(
            "(self.profile == 'https_spiffe') == has(self.endpointSpiffeID) && (self.profile == 'https_spiffe') == has(self.bootstrapBundle)",
            ENDPOINT_PROFILE,
          ),
        ),
      ),
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
  withRules(
    rule("self.domain == oldSelf.domain", "domain is part of every identity and cannot change"),
    rule(
      "!has(self.bundleEndpoint) || !has(self.bundleEndpoint.endpointSpiffeID) || " +
        "self.bundleEndpoint.endpointSpiffeID.startsWith('spiffe://' + self.domain + '/')",
      ENDPOINT_DOMAIN,
    ),
  ),
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
          ownRoots: optional(
            Type.Boolean({ description: "False: roots are kept offline, and somebody brings each next authority." }),
          ),
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
          sequence: optional(
            Type.Integer({ description: "Sequence number of the bundle; a foreign one may have none.", minimum: 0 }),
          ),
          fingerprints: Type.Array(text("SHA-256 of a root certificate.", 95), {
            description: "Roots in the bundle.",
            maxItems: MOST_BUNDLE_KEYS,
            "x-kubernetes-list-type": "atomic",
          }),
          generation: optional(
            Type.Integer({
              description: "Of a federated domain: the approved generation it was fetched by.",
              minimum: 0,
            }),
          ),
          fetchedAt: optional(
            text("Of a federated domain: when it was fetched last, to within ten minutes.", 40, {
              format: "date-time",
            }),
          ),
          refreshSeconds: optional(
            Type.Integer({ description: "Of a federated domain: how often it is fetched.", minimum: 1 }),
          ),
          notAfter: optional(text("Of a federated domain: when its last root ends.", 40, { format: "date-time" })),
        },
        { description: "The bundle as published." },
      ),
    ),
  }),
  columns: [
    { name: "Domain", type: "string", path: ".spec.domain" },
    ...approvalColumns,
    { name: "Fetched", type: "date", path: ".status.bundle.fetchedAt" },
    age,
  ],
  rules: [],
  approved: true,
};
