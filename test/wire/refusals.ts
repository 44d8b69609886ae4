import type { ExampleKind } from "./examples.ts";

/** One wrong value in a valid example: what the API server says of it, and what the reader of files says. */
export type Refusal = {
  readonly what: string;
  readonly kind: ExampleKind;
  readonly path: readonly (string | number)[];
  /** undefined: the field is taken away. */
  readonly value?: unknown;
  /** A part of the API server's message. */
  readonly server: string;
  /** `path: message [CODE]` of the reader. */
  readonly reader: string;
};

/** Tables of one mutation each. */
export const REFUSALS: readonly Refusal[] = [
  {
    what: "an unknown field",
    kind: "Segment",
    path: ["enviroment"],
    value: "prod",
    server: 'strict decoding error: unknown field "spec.enviroment"',
    reader: 'spec.enviroment: There is no field "enviroment" here. [FIELD_UNKNOWN]',
  },
  {
    what: "a mode that there is not",
    kind: "Segment",
    path: ["mode"],
    value: "strict",
    server: 'spec.mode: Unsupported value: "strict": supported values: "observe", "simulate", "canary", "enforce"',
    reader: 'spec.mode: "strict" is none of observe, simulate, canary, enforce. [FIELD_INVALID]',
  },
  {
    what: "a namespace named twice",
    kind: "Segment",
    path: ["namespaces"],
    value: ["payments", "payments"],
    server: 'spec.namespaces[1]: Duplicate value: "payments"',
    reader: "spec.namespaces: An item stands here twice. [FIELD_INVALID]",
  },
  {
    what: "a namespace in capitals",
    kind: "Segment",
    path: ["namespaces", 0],
    value: "Payments",
    server: 'spec.namespaces[0]: Invalid value: "Payments": spec.namespaces[0] in body should match',
    reader: 'spec.namespaces[0]: "Payments" is not a name of lower-case letters, digits and dashes. [FIELD_INVALID]',
  },
  {
    what: "an environment that is no label",
    kind: "Segment",
    path: ["environment"],
    value: "prod eu",
    server: 'spec.environment: Invalid value: "prod eu": spec.environment in body should match',
    reader:
      'spec.environment: "prod eu" is not a name of letters, digits, dashes, underscores and dots. [FIELD_INVALID]',
  },
  {
    what: "a duration of nothing",
    kind: "Segment",
    path: ["leaf", "maxTTL"],
    value: "0s",
    server: 'spec.leaf.maxTTL: Invalid value: "0s": a duration is at least one second',
    reader: 'spec.leaf.maxTTL: "0s" is not a duration. [FIELD_INVALID]',
  },
  {
    what: "a duration in days",
    kind: "Segment",
    path: ["leaf", "maxTTL"],
    value: "4d",
    server: 'spec.leaf.maxTTL: Invalid value: "4d": spec.leaf.maxTTL in body should match',
    reader:
      'spec.leaf.maxTTL: "4d" is not a duration in hours, minutes and seconds such as 4h or 1h30m. [FIELD_INVALID]',
  },
  {
    what: "a number where a text belongs",
    kind: "Segment",
    path: ["owner"],
    value: 7,
    server: 'spec.owner: Invalid value: "integer": spec.owner in body must be of type string: "integer"',
    reader: "spec.owner: The value must be a text, and is a number. [FIELD_INVALID]",
  },
  {
    what: "a canary that is a list",
    kind: "Segment",
    path: ["canary"],
    value: ["payments"],
    server: 'spec.canary: Invalid value: "array": spec.canary in body must be of type object: "array"',
    reader: "spec.canary: The value must be an object, and is a list. [FIELD_INVALID]",
  },
  {
    what: "more namespaces than 256",
    kind: "Segment",
    path: ["namespaces"],
    value: Array.from({ length: 257 }, (_, index) => `n${index}`),
    server: "spec.namespaces: Too many: 257: must have at most 256 items",
    reader: "spec.namespaces: The list has more than 256 items. [FIELD_INVALID]",
  },
  {
    what: "a missing segment",
    kind: "WorkloadRole",
    path: ["segment"],
    server: "spec.segment: Required value",
    reader: 'spec.segment: The field "segment" is missing. [FIELD_MISSING]',
  },
  {
    what: "a missing match",
    kind: "WorkloadRole",
    path: ["match"],
    server: "spec.match: Required value",
    reader: 'spec.match: The field "match" is missing. [FIELD_MISSING]',
  },
  {
    what: "an empty list of accounts",
    kind: "WorkloadRole",
    path: ["match", "serviceAccounts"],
    value: [],
    server:
      "spec.match.serviceAccounts: Invalid value: 0: spec.match.serviceAccounts in body should have at least 1 items",
    reader: "spec.match.serviceAccounts: The list is empty. [FIELD_INVALID]",
  },
  {
    what: "a kind that there is not",
    kind: "WorkloadRole",
    path: ["match", "kinds", 0],
    value: "Deployment",
    server:
      'spec.match.kinds[0]: Unsupported value: "Deployment": supported values: "Pod", "VirtualMachine", "Machine", "Function"',
    reader: 'spec.match.kinds[0]: "Deployment" is none of Pod, VirtualMachine, Machine, Function. [FIELD_INVALID]',
  },
  {
    what: "In without values",
    kind: "WorkloadRole",
    path: ["match", "podLabels", "matchExpressions", 0, "values"],
    server:
      "spec.match.podLabels.matchExpressions[0]: Invalid value: In and NotIn need values; Exists and DoesNotExist have none",
    reader: "spec.match.podLabels.matchExpressions[0]: This requirement has no meaning. [FIELD_INVALID]",
  },
  {
    what: "Exists with values",
    kind: "WorkloadRole",
    path: ["match", "podLabels", "matchExpressions", 0, "operator"],
    value: "Exists",
    server:
      "spec.match.podLabels.matchExpressions[0]: Invalid value: In and NotIn need values; Exists and DoesNotExist have none",
    reader: "spec.match.podLabels.matchExpressions[0]: This requirement has no meaning. [FIELD_INVALID]",
  },
  {
    what: "a permit that there is not",
    kind: "WorkloadRole",
    path: ["permits", 0],
    value: "root",
    server: 'spec.permits[0]: Invalid value: "root": spec.permits[0] in body should match',
    reader: 'spec.permits[0]: "root" is not something that can be permitted. [FIELD_INVALID]',
  },
  {
    what: "a label that cannot be stamped",
    kind: "WorkloadRole",
    path: ["labels", "a b"],
    value: "c",
    server:
      "spec.labels: Invalid value: key and value are stamped as a label: at most 63 letters, digits, dashes, underscores and dots",
    reader: 'spec.labels.a b: "a b: c" cannot be stamped as role.signet.dev/a b. [FIELD_INVALID]',
  },
  {
    what: "a label's value that cannot be stamped",
    kind: "WorkloadRole",
    path: ["labels", "tier"],
    value: "a b",
    server:
      "spec.labels: Invalid value: key and value are stamped as a label: at most 63 letters, digits, dashes, underscores and dots",
    reader: 'spec.labels.tier: "tier: a b" cannot be stamped as role.signet.dev/tier. [FIELD_INVALID]',
  },
  {
    what: "a missing domain",
    kind: "TrustDomain",
    path: ["domain"],
    server: "spec.domain: Required value",
    reader: 'spec.domain: The field "domain" is missing. [FIELD_MISSING]',
  },
  {
    what: "a domain in capitals",
    kind: "TrustDomain",
    path: ["domain"],
    value: "Prod.example.org",
    server: 'spec.domain: Invalid value: "Prod.example.org": spec.domain in body should match',
    reader:
      'spec.domain: "Prod.example.org" is not a trust domain name of lower-case letters, digits, dots, dashes and underscores. [FIELD_INVALID]',
  },
  {
    what: "six approvers",
    kind: "TrustDomain",
    path: ["approvals", "required"],
    value: 6,
    server:
      "spec.approvals.required: Invalid value: 6: spec.approvals.required in body should be less than or equal to 5",
    reader: "spec.approvals.required: 6 is more than 5. [FIELD_INVALID]",
  },
  {
    what: "a key type that there is not",
    kind: "TrustDomain",
    path: ["leaf", "keyType"],
    value: "RSA2048",
    server:
      'spec.leaf.keyType: Unsupported value: "RSA2048": supported values: "ECDSAP256", "ECDSAP384", "ECDSAP521", "RSA3072", "RSA4096", "ED25519"',
    reader:
      'spec.leaf.keyType: "RSA2048" is none of ECDSAP256, ECDSAP384, ECDSAP521, RSA3072, RSA4096, ED25519. [FIELD_INVALID]',
  },
  {
    what: "a bundle endpoint without https",
    kind: "TrustDomain",
    path: ["bundleEndpoint"],
    value: { url: "http://partner.example.org/bundle", profile: "https_web" },
    server:
      'spec.bundleEndpoint.url: Invalid value: "http://partner.example.org/bundle": spec.bundleEndpoint.url in body',
    reader:
      'spec.bundleEndpoint.url: "http://partner.example.org/bundle" is not an https URL without user info and fragment. [FIELD_INVALID]',
  },
  {
    what: "a bundle endpoint with user info",
    kind: "TrustDomain",
    path: ["bundleEndpoint"],
    value: { url: "https://me:secret@partner.example.org/bundle", profile: "https_web" },
    server: "spec.bundleEndpoint.url in body should match",
    reader:
      'spec.bundleEndpoint.url: "https://me:secret@partner.example.org/bundle" is not an https URL without user info and fragment. [FIELD_INVALID]',
  },
  {
    what: "an endpoint of SPIFFE without a bundle to begin with",
    kind: "TrustDomain",
    path: ["bundleEndpoint"],
    value: {
      url: "https://partner.example.org/bundle",
      profile: "https_spiffe",
      endpointSpiffeID: "spiffe://prod-eu.example.org/server",
    },
    server: "https_spiffe needs endpointSpiffeID and bootstrapBundle, https_web has neither",
    reader:
      "spec.bundleEndpoint.profile: https_spiffe needs endpointSpiffeID and bootstrapBundle, https_web has neither. [FIELD_CONFLICT]",
  },
  {
    what: "an endpoint of the web with a SPIFFE ID",
    kind: "TrustDomain",
    path: ["bundleEndpoint"],
    value: {
      url: "https://partner.example.org/bundle",
      profile: "https_web",
      endpointSpiffeID: "spiffe://prod-eu.example.org/server",
    },
    server: "https_spiffe needs endpointSpiffeID and bootstrapBundle, https_web has neither",
    reader:
      "spec.bundleEndpoint.profile: https_spiffe needs endpointSpiffeID and bootstrapBundle, https_web has neither. [FIELD_CONFLICT]",
  },
  {
    what: "an endpoint known by an identity of another domain",
    kind: "TrustDomain",
    path: ["bundleEndpoint"],
    value: {
      url: "https://partner.example.org/bundle",
      profile: "https_spiffe",
      endpointSpiffeID: "spiffe://other.example.org/server",
      bootstrapBundle: "{}",
    },
    server: "endpointSpiffeID belongs to the same domain",
    reader: "spec.bundleEndpoint.endpointSpiffeID: endpointSpiffeID belongs to the same domain. [FIELD_CONFLICT]",
  },
  {
    what: "an identity that no certificate carries",
    kind: "SegmentPolicy",
    path: ["allow", 0, "from"],
    value: { externalIdentity: "spiffe://Partner.example.org/ns/a/sa/b" },
    server: "spec.allow[0].from.externalIdentity in body should match",
    reader:
      'spec.allow[0].from.externalIdentity: "spiffe://Partner.example.org/ns/a/sa/b" is not the SPIFFE ID of a workload. [FIELD_INVALID]',
  },
  {
    what: "a missing on",
    kind: "SegmentPolicy",
    path: ["allow", 0, "on"],
    server: "spec.allow[0]: Invalid value: the field on is missing, or stands here twice",
    reader: 'spec.allow[0].on: The field "on" is missing. [FIELD_MISSING]',
  },
  {
    what: "an empty on",
    kind: "SegmentPolicy",
    path: ["allow", 0, "on"],
    value: [],
    server: "spec.allow[0].on: Invalid value: 0: spec.allow[0].on in body should have at least 1 items",
    reader: "spec.allow[0].on: The list is empty. [FIELD_INVALID]",
  },
  {
    what: "two ways of naming one end",
    kind: "SegmentPolicy",
    path: ["allow", 0, "from"],
    value: { role: "a", segment: "b" },
    server:
      "spec.allow[0].from: Invalid value: name exactly one of role, segment, environment, classification, namespace, cidr, fqdn, externalIdentity, entity",
    reader: "spec.allow[0].from: Several ways of naming somebody: role, segment. [FIELD_CONFLICT]",
  },
  {
    what: "an end that nobody is",
    kind: "SegmentPolicy",
    path: ["allow", 0, "to"],
    value: {},
    server:
      "spec.allow[0].to: Invalid value: name exactly one of role, segment, environment, classification, namespace, cidr, fqdn, externalIdentity, entity",
    reader: "spec.allow[0].to: Nobody is named here. [FIELD_CONFLICT]",
  },
  {
    what: "port 0",
    kind: "SegmentPolicy",
    path: ["allow", 0, "on", 0],
    value: "tcp/0",
    server: 'spec.allow[0].on[0]: Invalid value: "tcp/0": ports run from 1 to 65535: tcp/5432, udp/8000-8100',
    reader: 'spec.allow[0].on[0]: "tcp/0" names no port. [FIELD_INVALID]',
  },
  {
    what: "port 65536",
    kind: "SegmentPolicy",
    path: ["allow", 0, "on", 0],
    value: "tcp/65536",
    server: 'spec.allow[0].on[0]: Invalid value: "tcp/65536": ports run from 1 to 65535: tcp/5432, udp/8000-8100',
    reader: 'spec.allow[0].on[0]: "tcp/65536" names no port. [FIELD_INVALID]',
  },
  {
    what: "a range that runs down",
    kind: "SegmentPolicy",
    path: ["allow", 0, "on", 0],
    value: "tcp/90-80",
    server: 'spec.allow[0].on[0]: Invalid value: "tcp/90-80": ranges of ports run upwards: udp/8000-8100',
    reader: 'spec.allow[0].on[0]: "tcp/90-80" names no port. [FIELD_INVALID]',
  },
  {
    what: "a range without an end",
    kind: "SegmentPolicy",
    path: ["allow", 0, "on", 0],
    value: "tcp/80-",
    server: 'spec.allow[0].on[0]: Invalid value: "tcp/80-": spec.allow[0].on[0] in body should match',
    reader:
      'spec.allow[0].on[0]: "tcp/80-" is not a port such as tcp/5432, udp/8000-8100, tcp/http, icmp/8 or any. [FIELD_INVALID]',
  },
  {
    what: "a protocol that there is not",
    kind: "SegmentPolicy",
    path: ["allow", 0, "on", 0],
    value: "http/80",
    server: 'spec.allow[0].on[0]: Invalid value: "http/80": spec.allow[0].on[0] in body should match',
    reader:
      'spec.allow[0].on[0]: "http/80" is not a port such as tcp/5432, udp/8000-8100, tcp/http, icmp/8 or any. [FIELD_INVALID]',
  },
  {
    what: "an ICMP type beyond 255",
    kind: "SegmentPolicy",
    path: ["allow", 0, "on", 0],
    value: "icmp/256",
    server: 'spec.allow[0].on[0]: Invalid value: "icmp/256": ICMP types run from 0 to 255: icmp/8',
    reader: 'spec.allow[0].on[0]: "icmp/256" names no port. [FIELD_INVALID]',
  },
  {
    what: "a port that is a number",
    kind: "SegmentPolicy",
    path: ["allow", 0, "on", 0],
    value: 5432,
    server:
      'spec.allow[0].on[0]: Invalid value: "integer": spec.allow[0].on[0] in body must be of type string: "integer"',
    reader: "spec.allow[0].on[0]: The value must be a text, and is a number. [FIELD_INVALID]",
  },
  {
    what: "a CIDR without a prefix",
    kind: "SegmentPolicy",
    path: ["allow", 1, "to", "cidr"],
    value: "10.0.0.0",
    server:
      'spec.allow[1].to.cidr: Invalid value: "10.0.0.0": cidr is an address and a prefix length, for example 10.0.0.0/8',
    reader: 'spec.allow[1].to.cidr: "10.0.0.0" is not a CIDR. [FIELD_INVALID]',
  },
  {
    what: "a CIDR that is none",
    kind: "SegmentPolicy",
    path: ["allow", 1, "to", "cidr"],
    value: "10.0.0.0/33",
    server:
      'spec.allow[1].to.cidr: Invalid value: "10.0.0.0/33": cidr is an address and a prefix length, for example 10.0.0.0/8',
    reader: 'spec.allow[1].to.cidr: "10.0.0.0/33" is not a CIDR. [FIELD_INVALID]',
  },
  {
    what: "a DNS name in capitals",
    kind: "SegmentPolicy",
    path: ["allow", 2, "to", "fqdn"],
    value: "API.example.org",
    server: 'spec.allow[2].to.fqdn: Invalid value: "API.example.org": spec.allow[2].to.fqdn in body should match',
    reader: 'spec.allow[2].to.fqdn: "API.example.org" is not a DNS name. [FIELD_INVALID]',
  },
  {
    what: "an end before its beginning",
    kind: "SegmentPolicy",
    path: ["allow", 0, "expires"],
    value: "2026-11-01T00:00:00Z",
    server: "spec.allow[0]: Invalid value: notBefore must lie before expires",
    reader: "spec.allow[0].expires: It ends before it begins. [FIELD_CONFLICT]",
  },
  {
    what: "a day that does not exist",
    kind: "SegmentPolicy",
    path: ["allow", 0, "expires"],
    value: "2027-02-30T00:00:00Z",
    server:
      'spec.allow[0].expires: Invalid value: "2027-02-30T00:00:00Z": spec.allow[0].expires in body must be of type date-time: "2027-02-30T00:00:00Z"',
    reader: 'spec.allow[0].expires: "2027-02-30T00:00:00Z" is not a date and time. [FIELD_INVALID]',
  },
  {
    what: "an end that is no moment",
    kind: "SegmentPolicy",
    path: ["allow", 0, "expires"],
    value: "tomorrow",
    server:
      'spec.allow[0].expires: Invalid value: "tomorrow": spec.allow[0].expires in body must be of type date-time: "tomorrow"',
    reader: 'spec.allow[0].expires: "tomorrow" is not a date and time. [FIELD_INVALID]',
  },
  {
    what: "a data clause without protocol",
    kind: "SegmentPolicy",
    path: ["allow", 0, "data", "protocol"],
    server: "spec.allow[0].data.protocol: Required value",
    reader: 'spec.allow[0].data.protocol: The field "protocol" is missing. [FIELD_MISSING]',
  },
  {
    what: "an unknown fence",
    kind: "Guardrail",
    path: ["fences", 0],
    value: "owner",
    server: 'spec.fences[0]: Unsupported value: "owner": supported values: "environment", "classification"',
    reader: 'spec.fences[0]: "owner" is none of environment, classification. [FIELD_INVALID]',
  },
  {
    what: "a fence twice",
    kind: "Guardrail",
    path: ["fences"],
    value: ["environment", "environment"],
    server: 'spec.fences[1]: Duplicate value: "environment"',
    reader: "spec.fences: An item stands here twice. [FIELD_INVALID]",
  },
  {
    what: "a denial without an end",
    kind: "Guardrail",
    path: ["deny", 0, "to"],
    server: "spec.deny[0].to: Required value",
    reader: 'spec.deny[0].to: The field "to" is missing. [FIELD_MISSING]',
  },
  {
    what: "two ways of naming one end",
    kind: "Guardrail",
    path: ["allow", 0, "to"],
    value: { role: "a", cidr: "10.0.0.0/8" },
    server:
      "spec.allow[0].to: Invalid value: name exactly one of role, segment, environment, classification, namespace, cidr, fqdn, externalIdentity, entity",
    reader: "spec.allow[0].to: Several ways of naming somebody: role, cidr. [FIELD_CONFLICT]",
  },
  {
    what: "a missing end",
    kind: "SegmentException",
    path: ["expires"],
    server: "spec.expires: Required value",
    reader: 'spec.expires: The field "expires" is missing. [FIELD_MISSING]',
  },
  {
    what: "an empty reason",
    kind: "SegmentException",
    path: ["reason"],
    value: "",
    server: 'spec.reason: Invalid value: "": spec.reason in body should be at least 1 chars long',
    reader: "spec.reason: The text is empty. [FIELD_INVALID]",
  },
  {
    what: "a check and a sentence",
    kind: "SegmentException",
    path: ["permit", "sentence"],
    value: { from: { role: "a" }, to: { role: "b" }, on: ["any"] },
    server: "spec.permit: Invalid value: grant either a check or a sentence",
    reader: "spec.permit: An exception permits either a check or a sentence. [FIELD_CONFLICT]",
  },
  {
    what: "neither check nor sentence",
    kind: "SegmentException",
    path: ["permit"],
    value: {},
    server: "spec.permit: Invalid value: grant either a check or a sentence",
    reader: "spec.permit: An exception permits either a check or a sentence. [FIELD_CONFLICT]",
  },
  {
    what: "hostPath without a path",
    kind: "SegmentException",
    path: ["permit", "path"],
    server: "spec.permit: Invalid value: path belongs to check: hostPath, which needs one",
    reader: "spec.permit.path: A path belongs to the check hostPath, and that check needs one. [FIELD_CONFLICT]",
  },
  {
    what: "a path for another check",
    kind: "SegmentException",
    path: ["permit", "check"],
    value: "hostPID",
    server: "spec.permit: Invalid value: path belongs to check: hostPath, which needs one",
    reader: "spec.permit.path: A path belongs to the check hostPath, and that check needs one. [FIELD_CONFLICT]",
  },
  {
    what: "an end before its beginning",
    kind: "SegmentException",
    path: ["expires"],
    value: "2026-10-01T00:00:00Z",
    server: "spec: Invalid value: notBefore must lie before expires",
    reader: "spec.expires: It ends before it begins. [FIELD_CONFLICT]",
  },
  {
    what: "a missing role",
    kind: "SegmentException",
    path: ["workloads"],
    value: {},
    server: "spec.workloads.role: Required value",
    reader: 'spec.workloads.role: The field "role" is missing. [FIELD_MISSING]',
  },
  {
    what: "a kind that there is not",
    kind: "ExternalWorkload",
    path: ["kind"],
    value: "VM",
    server: 'spec.kind: Unsupported value: "VM": supported values: "Machine", "Function"',
    reader: 'spec.kind: "VM" is none of Machine, Function. [FIELD_INVALID]',
  },
  {
    what: "an address that is none",
    kind: "ExternalWorkload",
    path: ["addresses", 0],
    value: "192.0.2.300",
    server: 'spec.addresses[0]: Invalid value: "192.0.2.300": an address is IPv4 or IPv6',
    reader: 'spec.addresses[0]: "192.0.2.300" is not an IP address. [FIELD_INVALID]',
  },
  {
    what: "a way to join that there is not",
    kind: "ExternalWorkload",
    path: ["join", "method"],
    value: "password",
    server:
      'spec.join.method: Unsupported value: "password": supported values: "boundKeypair", "x509", "oidc", "aws", "azure", "gcp"',
    reader: 'spec.join.method: "password" is none of boundKeypair, x509, oidc, aws, azure, gcp. [FIELD_INVALID]',
  },
  {
    what: "two targets",
    kind: "Restriction",
    path: ["target", "role"],
    value: "orders-db",
    server:
      "spec.target: Invalid value: name exactly one of identity, serial, pod, virtualMachine, node, segment, role",
    reader: "spec.target: A Restriction concerns exactly one target. [FIELD_CONFLICT]",
  },
  {
    what: "no target",
    kind: "Restriction",
    path: ["target"],
    value: {},
    server:
      "spec.target: Invalid value: name exactly one of identity, serial, pod, virtualMachine, node, segment, role",
    reader: "spec.target: A Restriction concerns exactly one target. [FIELD_CONFLICT]",
  },
  {
    what: "an effect that there is not",
    kind: "Restriction",
    path: ["effect"],
    value: "pause",
    server: 'spec.effect: Unsupported value: "pause": supported values: "quarantine", "revoke"',
    reader: 'spec.effect: "pause" is none of quarantine, revoke. [FIELD_INVALID]',
  },
  {
    what: "an identity that is no SPIFFE ID",
    kind: "Restriction",
    path: ["target"],
    value: { identity: "orders-db" },
    server: 'spec.target.identity: Invalid value: "orders-db": spec.target.identity in body should match',
    reader: 'spec.target.identity: "orders-db" is not a SPIFFE ID. [FIELD_INVALID]',
  },
  {
    what: "a target without a name",
    kind: "Restriction",
    path: ["target", "pod", "name"],
    server: "spec.target.pod.name: Required value",
    reader: 'spec.target.pod.name: The field "name" is missing. [FIELD_MISSING]',
  },
];
