import type { RestrictionTarget } from "../domain/definitions.ts";
import type { Instant } from "../domain/instant.ts";
import { shownSerial } from "./renewal.ts";

/** What the ledger says of a certificate that was issued. */
export type IssuedCertificate = {
  /** Who asked for it: by what certificate, where it is a renewal. */
  readonly caller: string;
  readonly serial: string;
  readonly spiffeId: string;
  readonly role: string;
  readonly segment: string;
  /** `Pod shop/cart-1`. */
  readonly subject: string;
  readonly notAfter: Instant;
};

/**
 * Certificates that a target names, or that were renewed by such, and that have not ended, the last to end first: who verifies by the bundle alone accepts
 * each until then. Undefined for a node, for the ledger does not say where a holder ran.
 */
export function stillTrusted(
  issued: readonly IssuedCertificate[],
  target: RestrictionTarget,
  now: Instant,
): readonly IssuedCertificate[] | undefined {
  if (target.by === "node") return undefined;
  const named = issued.filter((each) => isNamed(each, target));
  return (FOLLOWED.has(target.by) ? withRenewals(named, issued) : named)
    .filter((each) => each.notAfter > now)
    .sort((a, b) => b.notAfter - a.notAfter || (a.serial < b.serial ? -1 : 1));
}

/** What a renewal does not carry on: its serial number is new, and its holder is whoever had the certificate. */
const FOLLOWED: ReadonlySet<RestrictionTarget["by"]> = new Set(["serial", "pod", "virtualMachine"]);

/** Certificates with all that were renewed by them, and by those, whether or not they have ended themselves. */
function withRenewals(
  named: readonly IssuedCertificate[],
  issued: readonly IssuedCertificate[],
): readonly IssuedCertificate[] {
  const byShown = Map.groupBy(issued, ({ caller }) => shownSerial(caller));
  const found = new Set(named);
  for (const { serial } of found) for (const renewal of byShown.get(serial) ?? []) found.add(renewal);
  return [...found];
}

function isNamed(issued: IssuedCertificate, target: RestrictionTarget): boolean {
  switch (target.by) {
    case "identity":
      return issued.spiffeId === target.name;
    case "serial":
    case "role":
    case "segment":
      return issued[target.by] === target.name;
    case "pod":
      return issued.subject === `Pod ${target.namespace ?? ""}/${target.name}`;
    case "virtualMachine":
      return isLauncher(issued.subject, `Pod ${target.namespace ?? ""}/`, target.name);
    case "node":
      return false;
  }
}

/** The API server cuts a generated name's base at 58 characters and adds five (apiserver names.SimpleNameGenerator). */
const LONGEST_BASE = 58;

/** Whether a Pod has the name that KubeVirt has made up for a machine's launcher: `virt-launcher-NAME-` and five more. */
function isLauncher(subject: string, before: string, machine: string): boolean {
  const base = `${before}${`virt-launcher-${machine}-`.slice(0, LONGEST_BASE)}`;
  return subject.startsWith(base) && /^[a-z0-9]{5}$/.test(subject.slice(base.length));
}
