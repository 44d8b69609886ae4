import type { LossCode } from "../../domain/loss-codes.ts";

/** What becomes of a line on a target. `unenforced`: the target has no way to look at it at all. */
export type Effect = "exact" | "narrower" | "wider" | "unenforced";

/** What a kind of loss means, and what makes up for it. */
type LossText = { readonly says: string; readonly control: string };

/** Every kind of loss; the list is closed. Each target's page in docs/targets says which of them it has. */
export const LOSSES = {
  IDENTITY_AS_LABEL: {
    says: "Pods are told apart by their stamp, not by their certificate.",
    control: "Admission guards the stamp on every write path, and label peers always name the entitled namespaces too.",
  },
  IDENTITY_SHARED: {
    says: "Several roles run under one service account, and this target knows accounts only.",
    control: "Give each role a service account of its own, or keep a target beside it that tells labels apart.",
  },
  IDENTITY_AS_IP: {
    says: "Who has no stamp is known by address, or not at all where no address is known.",
    control: "Write the addresses of machines into their ExternalWorkload; name outside services by address.",
  },
  L7_UNENFORCED: {
    says: "The port opens for all data; the data clause is not enforced here.",
    control: "Enforce it at the destination (`required: true` refuses targets that cannot).",
  },
  DENY_UNREPRESENTABLE: {
    says: "This target only adds up what is allowed; a denial between workloads that no segment encloses has no form.",
    control: "Add a target with denials (ClusterNetworkPolicy, AdminNetworkPolicy), or put the segment in force.",
  },
  ORDER_FLATTENED: {
    says: "A denial was taken out of what is allowed; what it may mean is taken out too.",
    control: "Write denials by role, segment or address rather than by name or by named port.",
  },
  CANARY_BY_LABEL: {
    says: "A canary's workload is told by the labels of its Pods; others of its role that have them all are enclosed with it.",
    control: "Give the Pods of the canary a label of their own, or name the namespace.",
  },
  EXPIRY_BY_CONTROLLER: {
    says: "This target knows no end; the line is taken out by whoever compiles again then.",
    control: "Compile again at the moment given as nextChange; `signet policy status` names rules past their end.",
  },
  FQDN_AS_IP: {
    says: "This target knows no DNS names; the connection stays closed.",
    control: "Name the service by address, or use a target that follows names.",
  },
  HOSTNETWORK_UNSELECTED: {
    says: "Pods on the host network, and nodes, are not selected.",
    control: "Keep workloads off the host network, or enclose the node itself (target nftables).",
  },
  SECONDARY_NIC_UNCOVERED: {
    says: "Only the Pod network is covered; a second interface passes by.",
    control: "Add the target multinetworkpolicy, or refuse such interfaces at admission.",
  },
  PROTOCOL_UNSUPPORTED: {
    says: "This target has no rules for this protocol; it passes only where everything does.",
    control: "Open every port, or do without.",
  },
  SUBJECT_EMPTY: {
    says: "PostgreSQL reads the common name of a certificate, and an X.509-SVID has an empty subject: by itself it lets none in.",
    control: "Give the caller's role `identity.subject: account`, so that its certificates name the account there.",
  },
  PORT_UNREPRESENTABLE: {
    says: "Names of ports, or ranges this wide, have no form here; the connection stays closed.",
    control: "Write the numbers of the ports.",
  },
  ADDRESS_MAY_BE_POD: {
    says: "Whether a range of addresses means Pods too is up to the implementation.",
    control: "Name the Pod networks (--pod-cidr), so that they are left out of every range.",
  },
  FOREIGN_ALLOW: {
    says: "A policy that is not ours opens more at the same door; such policies add up.",
    control: "Take it away, import it as sentences, or deny above it with a target that has denials.",
  },
  FOREIGN_DENY: {
    says: "A policy that is not ours closes what a line opens.",
    control: "Change it or take it away; Signet never overrides what others deny.",
  },
  FOREIGN_UNREAD: {
    says: "A policy of a kind that is not evaluated here may open more at the same door.",
    control: "Take it away, or write it as sentences; or look at it yourself, and waive this.",
  },
  LIMIT_SPLIT: {
    says: "More rules or peers than one object holds; they stand in several, in the same order.",
    control: "Nothing is lost.",
  },
  PRIORITY_EXHAUSTED: {
    says: "There are more objects than priorities.",
    control: "Use fewer fences and denials, or a target with more room.",
  },
  ESTABLISHED_SURVIVES: {
    says: "Connections that stand when a rule is taken away may live on.",
    control: "End them: restart the workload, or quarantine it.",
  },
  STARTUP_WINDOW: {
    says: "Some implementations let a Pod talk for a moment before its rules are loaded.",
    control: "Choose an implementation that holds Pods back, and probe it.",
  },
  TARGET_ABSENT: {
    says: "No active target covers this workload.",
    control: "Add one: nftables on machines, security groups for functions.",
  },
  WAYPOINT_BYPASS: {
    says: "What a waypoint enforces is passed by when the workload is addressed directly.",
    control: "The policy for ztunnel admits only the waypoint's identity.",
  },
} as const satisfies Readonly<Record<LossCode, LossText>>;

/** What is open (or closed) against the intent between each of some ends and each of others. `pairs`: how many that are. */
export type ResidualPair = { readonly from: string; readonly to: string; readonly on: string; readonly pairs: number };

/** How many pairs there are. */
export const countPairs = (residual: readonly ResidualPair[]): number =>
  residual.reduce((sum, { pairs }) => sum + pairs, 0);

/** What a target loses of one line, or of one rule that no line wrote. */
export type Loss = {
  readonly target: string;
  readonly code: LossCode;
  readonly effect: Effect;
  /** `SegmentPolicy payments/orders-db, spec.allow[0]`. */
  readonly rule: string;
  readonly workloads: readonly string[];
  readonly residual: readonly ResidualPair[];
};
