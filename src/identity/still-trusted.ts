import type { RestrictionTarget } from "../domain/definitions.ts";
import type { Instant } from "../domain/instant.ts";

/** What the ledger says of a certificate that was issued. */
export type IssuedCertificate = {
  readonly serial: string;
  readonly spiffeId: string;
  readonly role: string;
  readonly segment: string;
  /** `Pod shop/cart-1`. */
  readonly subject: string;
  readonly notAfter: Instant;
};

/**
 * Certificates that a target names and that have not ended, the last to end first: who verifies by the bundle alone accepts
 * each until then. Undefined for a node, for the ledger does not say where a holder ran.
 */
export function stillTrusted(
  issued: readonly IssuedCertificate[],
  target: RestrictionTarget,
  now: Instant,
): readonly IssuedCertificate[] | undefined {
  if (target.by === "node") return undefined;
  return issued
    .filter((each) => each.notAfter > now && isNamed(each, target))
    .sort((a, b) => b.notAfter - a.notAfter || (a.serial < b.serial ? -1 : 1));
}

const SUBJECT_KINDS = { pod: "Pod", virtualMachine: "VirtualMachine" } as const;

function isNamed(issued: IssuedCertificate, target: RestrictionTarget): boolean {
  switch (target.by) {
    case "identity":
      return issued.spiffeId === target.name;
    case "serial":
    case "role":
    case "segment":
      return issued[target.by] === target.name;
    case "pod":
    case "virtualMachine":
      return issued.subject === `${SUBJECT_KINDS[target.by]} ${target.namespace ?? ""}/${target.name}`;
    case "node":
      return false;
  }
}
