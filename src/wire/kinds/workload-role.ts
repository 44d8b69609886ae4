import { Type } from "typebox";
import {
  duration,
  fields,
  labelName,
  labelSelector,
  namespaceName,
  objectName,
  oneOf,
  optional,
  rule,
  setOf,
  text,
  textMap,
  withRules,
} from "./fields.ts";
import { age, approvalColumns, type Kind, shortName } from "./kind.ts";
import { approvedStatus } from "./status.ts";
import { KEY_TYPES } from "./trust-domain.ts";

/** `hostNetwork`, `hostPath:/srv/import`, `capability:NET_ADMIN` …: what a role or an exception may permit. */
export const PERMIT =
  "^(hostNetwork|hostPID|hostIPC|hostProcess|privileged|signerVolume|uncoveredInterfaces|hostPath:/.*|capability:[A-Z][A-Z0-9_]*)$";

const match = fields("Who is entitled to the role: every condition that is written must hold.", {
  namespaces: optional(
    setOf("Namespaces, within the segment's; left out: all of them.", namespaceName("A namespace."), 256, {
      minItems: 1,
    }),
  ),
  serviceAccounts: optional(
    setOf("Service accounts; left out: every one but `default`.", objectName("A service account."), 256, {
      minItems: 1,
    }),
  ),
  kinds: optional(
    setOf(
      "Kinds of workload; left out: all.",
      oneOf("A kind of workload.", ["Pod", "VirtualMachine", "Machine", "Function"]),
      4,
      { minItems: 1 },
    ),
  ),
  podLabels: optional(labelSelector("Labels that narrow further. Labels never entitle.")),
  createdBy: optional(
    setOf(
      "User names of controllers that create such Pods directly; empty: whoever creates them.",
      text("A user name.", 512),
      32,
    ),
  ),
});

const identity = fields("The certificate that workloads of the role get, and how.", {
  delivery: optional(
    oneOf(
      "podCertificate: kubelet mounts it; csi: Signet's driver does; none: fetched or not needed.",
      ["none", "podCertificate", "csi"],
      { default: "none" },
    ),
  ),
  maxTTL: optional(duration("Longest lifetime of a leaf certificate.")),
  dnsNames: optional(
    setOf(
      "DNS names in the certificate.",
      text("A DNS name.", 253, {
        pattern: "^(\\*\\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        form: "a DNS name in lower case",
      }),
      32,
    ),
  ),
  subject: optional(
    oneOf(
      "Subject of the certificate. account: the common name ACCOUNT.NAMESPACE, for programs that read nothing else, such as PostgreSQL; empty: none.",
      ["empty", "account"],
      { default: "empty" },
    ),
  ),
  keyType: optional(oneOf("Key type of the leaf.", KEY_TYPES)),
  federatesWith: optional(setOf("Names of TrustDomains whose bundles it gets.", objectName("A TrustDomain."), 16)),
});

const LABEL_NAME = "^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$";
const stampable = withRules(
  rule(
    `self.all(key, key.matches('${LABEL_NAME}') && (self[key] == '' || self[key].matches('${LABEL_NAME}')))`,
    "key and value are stamped as a label: at most 63 letters, digits, dashes, underscores and dots",
  ),
);

const spec = fields("What a workload is for, who is entitled to it, and what it brings.", {
  segment: labelName("The segment that the role lives in."),
  match,
  labels: optional(
    textMap(
      "Stamped as role.signet.dev/KEY: key and value have at most 63 letters, digits, dashes and dots.",
      16,
      stampable,
    ),
  ),
  identity: optional(identity),
  permits: optional(
    setOf(
      "Host-level escapes that the role needs: hostNetwork, hostPath:/x, privileged, capability:NET_ADMIN …",
      text("A permit: hostNetwork, hostPath:/x, capability:NET_ADMIN …", 512, {
        pattern: PERMIT,
        form: "something that can be permitted",
      }),
      32,
      {
        default: [],
      },
    ),
  ),
});

/** Kind WorkloadRole. */
export const WORKLOAD_ROLE: Kind<typeof spec> = {
  kind: "WorkloadRole",
  plural: "workloadroles",
  scope: "Cluster",
  shortNames: ["wr"],
  description: "What a workload is for: who is entitled to the role, the segment it lives in, and what it brings.",
  spec,
  status: approvedStatus(spec, {
    workloads: optional(Type.Integer({ description: "Running workloads that hold the role.", minimum: 0 })),
  }),
  columns: [
    { name: "Segment", type: "string", path: ".spec.segment" },
    { name: "Accounts", type: "string", path: ".spec.match.serviceAccounts" },
    ...approvalColumns,
    age,
  ],
  rules: [shortName],
  approved: true,
};
