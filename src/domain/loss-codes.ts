/** Every kind of loss that a data plane can have of a line; the list is closed. What each means: policy/compile/loss.ts. */
export const LOSS_CODES = [
  "IDENTITY_AS_LABEL",
  "IDENTITY_SHARED",
  "IDENTITY_AS_IP",
  "L7_UNENFORCED",
  "DENY_UNREPRESENTABLE",
  "ORDER_FLATTENED",
  "CANARY_BY_LABEL",
  "EXPIRY_BY_CONTROLLER",
  "FQDN_AS_IP",
  "HOSTNETWORK_UNSELECTED",
  "SECONDARY_NIC_UNCOVERED",
  "PROTOCOL_UNSUPPORTED",
  "SUBJECT_EMPTY",
  "PORT_UNREPRESENTABLE",
  "ADDRESS_MAY_BE_POD",
  "FOREIGN_ALLOW",
  "FOREIGN_DENY",
  "FOREIGN_UNREAD",
  "LIMIT_SPLIT",
  "PRIORITY_EXHAUSTED",
  "ESTABLISHED_SURVIVES",
  "STARTUP_WINDOW",
  "TARGET_ABSENT",
  "WAYPOINT_BYPASS",
] as const;

/** A kind of loss. */
export type LossCode = (typeof LOSS_CODES)[number];

/** The code that a text spells, if it is one. */
export const lossCodeOf = (text: string): LossCode | undefined => LOSS_CODES.find((code) => code === text);
