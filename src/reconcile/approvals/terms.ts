import { type ApprovalTerms, DEFAULT_TERMS } from "../../domain/approvals.ts";
import { inForce } from "../../domain/catalogue.ts";
import type { TrustDomain } from "../../domain/definitions.ts";
import type { Json } from "../../domain/json-patch.ts";
import type { Approvable } from "../../wire/definitions/approvable.ts";
import { isRaw, numberAt, rawAt, textsAt } from "../../wire/read-object.ts";

/** The terms that hold, and how they came to hold. */
export type Established = {
  readonly terms: ApprovalTerms;
  /** installing: our TrustDomain is new, on a cluster where nothing was ever approved. none: nothing can be approved. */
  readonly trustDomain: "inForce" | "installing" | "none";
};

/** The terms of approval, from our TrustDomain as it is in force and as it is written. */
export function establish(
  trustDomain: TrustDomain | undefined,
  written: Approvable | undefined,
  anyApproved: boolean,
): Established {
  const spec = writtenTerms(written?.spec);
  if (trustDomain && inForce(trustDomain))
    return { terms: written ? stricter(trustDomain.approvals, spec) : trustDomain.approvals, trustDomain: "inForce" };
  if (written && isInstallation(written, anyApproved)) return { terms: spec, trustDomain: "installing" };
  return { terms: { required: Math.max(DEFAULT_TERMS.required, spec.required), gitOps: [] }, trustDomain: "none" };
}

/**
 * Whichever ask for more. API-server policies see the object as it is written, so an approval under the looser of the two
 * would be refused there; and an edit that loosens the terms counts only when it is approved itself.
 */
const stricter = (inForce: ApprovalTerms, written: ApprovalTerms): ApprovalTerms => ({
  required: Math.max(inForce.required, written.required),
  gitOps: inForce.gitOps.filter((account) => written.gitOps.includes(account)),
});

function writtenTerms(spec: Json | undefined): ApprovalTerms {
  const approvals = isRaw(spec) ? rawAt(spec, "approvals") : {};
  return {
    required: numberAt(approvals, "required") ?? DEFAULT_TERMS.required,
    gitOps: textsAt(approvals, "gitOps"),
  };
}

/** Where nothing was ever approved Signet is being installed, and its TrustDomain comes with the installation. */
const isInstallation = ({ generation, approved, approvals }: Approvable, anyApproved: boolean): boolean =>
  generation === 1 && approved === undefined && approvals.length === 0 && !anyApproved;

/** Whether an object is our own TrustDomain. */
export const isLocalTrustDomain = ({ object }: Approvable): boolean =>
  object.kind === "TrustDomain" && object.name === "local";
