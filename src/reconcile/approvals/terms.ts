import { type ApprovalTerms, DEFAULT_TERMS } from "../../domain/approvals.ts";
import { inForce } from "../../domain/catalogue.ts";
import type { TrustDomain } from "../../domain/definitions.ts";
import type { Approvable } from "../../wire/definitions/approvable.ts";

/** The terms that hold, and how they came to hold. */
export type Established = {
  readonly terms: ApprovalTerms;
  /** installing: our TrustDomain is new, on a cluster where nothing was ever approved. waiting: it is there. */
  readonly trustDomain: "inForce" | "installing" | "waiting" | "absent";
};

/**
 * The terms of approval: those of our TrustDomain's generation in force, never those of an edit that nobody has approved.
 * Where none is in force, the defaults, and nothing but the TrustDomain can be approved.
 */
export function establish(
  trustDomain: TrustDomain | undefined,
  written: Approvable | undefined,
  anyApproved: boolean,
): Established {
  if (trustDomain && inForce(trustDomain)) return { terms: trustDomain.approvals, trustDomain: "inForce" };
  if (!written) return { terms: DEFAULT_TERMS, trustDomain: "absent" };
  return { terms: DEFAULT_TERMS, trustDomain: isInstallation(written, anyApproved) ? "installing" : "waiting" };
}

/** Where nothing was ever approved Signet is being installed, and its TrustDomain comes with the installation. */
const isInstallation = ({ generation, approved, approvals }: Approvable, anyApproved: boolean): boolean =>
  generation === 1 && approved === undefined && approvals.length === 0 && !anyApproved;

/** Whether an object is our own TrustDomain. */
export const isLocalTrustDomain = ({ object }: Approvable): boolean =>
  object.kind === "TrustDomain" && object.name === "local";
