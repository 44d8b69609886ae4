import type { RestrictionTarget } from "../domain/definitions.ts";
import type { Instant } from "../domain/instant.ts";
import { ofOneLine, shownSerial } from "./renewal.ts";

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
  /** UID of the Pod, name of its node and of its virtual machine, where they are known. */
  readonly pod?: string;
  readonly node?: string;
  readonly virtualMachine?: string;
  readonly notAfter: Instant;
};

/**
 * Certificates that a target names, or that were renewed by such, and that have not ended, the last to end first: who verifies
 * by the bundle alone accepts each until then. One of whose Pod the node is not known counts for every node.
 */
export function stillTrusted<Certificate extends IssuedCertificate>(
  issued: readonly Certificate[],
  target: RestrictionTarget,
  now: Instant,
): readonly Certificate[] {
  const named = issued.filter((each) => isNamed(each, target));
  return (FOLLOWED.has(target.by) ? withRenewals(named, issued) : named)
    .filter((each) => each.notAfter > now)
    .sort((a, b) => b.notAfter - a.notAfter || (a.serial < b.serial ? -1 : 1));
}

/** What a renewal does not carry on by itself: whoever had the certificate is its holder. */
const FOLLOWED: ReadonlySet<RestrictionTarget["by"]> = new Set(["serial", "pod", "virtualMachine", "node"]);

/** Certificates with all that were renewed by them, and by those, whether or not they have ended themselves. */
function withRenewals<Certificate extends IssuedCertificate>(
  named: readonly Certificate[],
  issued: readonly Certificate[],
): readonly Certificate[] {
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
      return ofOneLine(issued.serial, target.name);
    case "role":
    case "segment":
      return issued[target.by] === target.name;
    case "pod":
      return isPod(issued, `${podsOf(target)}${target.name}`, target.uid);
    case "virtualMachine":
      return isOfMachine(issued, podsOf(target), target.name);
    case "node":
      return mayHaveRunOn(issued, target.name);
  }
}

const podsOf = ({ namespace = "" }: { readonly namespace?: string }): string => `Pod ${namespace}/`;

/** A UID on both sides must be the same. */
const isPod = ({ subject, pod = "" }: IssuedCertificate, named: string, uid = pod): boolean =>
  subject === named && (pod === "" || uid === pod);

/** Machines and functions run on no node of ours. */
const mayHaveRunOn = ({ subject, node }: IssuedCertificate, name: string): boolean =>
  node === undefined ? subject.startsWith("Pod ") || subject.startsWith("Identity ") : node === name;

const isOfMachine = ({ subject, virtualMachine }: IssuedCertificate, before: string, machine: string): boolean =>
  virtualMachine === undefined
    ? isLauncher(subject, before, machine)
    : subject.startsWith(before) && virtualMachine === machine;

/** The API server cuts a generated name's base at 58 characters and adds five (apiserver names.SimpleNameGenerator). */
const LONGEST_BASE = 58;

/** Whether a Pod has the name that KubeVirt has made up for a machine's launcher: `virt-launcher-NAME-` and five more. */
function isLauncher(subject: string, before: string, machine: string): boolean {
  const base = `${before}${`virt-launcher-${machine}-`.slice(0, LONGEST_BASE)}`;
  return subject.startsWith(base) && /^[a-z0-9]{5}$/.test(subject.slice(base.length));
}
