import type { RestrictionTarget } from "../domain/definitions.ts";
import type { Instant } from "../domain/instant.ts";
import { lineOf, ofOneLine, shownSerial } from "./renewal.ts";

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

/** Finds certificates that a target names and that have not ended at an instant. */
export type StillTrusted<Certificate> = (target: RestrictionTarget, now: Instant) => readonly Certificate[];

/**
 * Certificates that a target names, or that were renewed by such, and that have not ended, the last to end first: who verifies
 * by the bundle alone accepts each until then. One of whose Pod the node is not known counts for every node. They are looked
 * through once for each kind of target, however many targets there are.
 */
export function stillTrusted<Certificate extends IssuedCertificate>(
  issued: readonly Certificate[],
): StillTrusted<Certificate> {
  const grouped = new Map<RestrictionTarget["by"], ReadonlyMap<string, readonly Certificate[]>>();
  const groupsFor = (by: RestrictionTarget["by"]) => {
    const groups = grouped.get(by) ?? Map.groupBy(issued, GROUP_OF[by]);
    grouped.set(by, groups);
    return groups;
  };
  let byShown: ReadonlyMap<string | undefined, readonly Certificate[]> | undefined;
  return (target, now) => {
    const groups = groupsFor(target.by);
    const named = groupsOf(target)
      .flatMap((group) => groups.get(group) ?? [])
      .filter((each) => isNamed(each, target));
    if (FOLLOWED.has(target.by)) byShown ??= Map.groupBy(issued, ({ caller }) => shownSerial(caller));
    return (FOLLOWED.has(target.by) ? withRenewals(named, byShown ?? new Map()) : named)
      .filter((each) => each.notAfter > now)
      .sort((a, b) => b.notAfter - a.notAfter || (a.serial < b.serial ? -1 : 1));
  };
}

/** In which group a certificate is, for each kind of target; what is in another group than a target's is not named by it. */
const GROUP_OF: Readonly<Record<RestrictionTarget["by"], (issued: IssuedCertificate) => string>> = {
  identity: ({ spiffeId }) => spiffeId,
  serial: ({ serial }) => lineOf(serial) ?? serial,
  role: ({ role }) => role,
  segment: ({ segment }) => segment,
  pod: ({ subject }) => subject,
  virtualMachine: ({ subject }) => subject.slice(0, subject.indexOf("/") + 1),
  node: ({ node = NOWHERE }) => node,
};

/** No node is called so. */
const NOWHERE = "";

function groupsOf(target: RestrictionTarget): readonly string[] {
  switch (target.by) {
    case "serial":
      return [lineOf(target.name) ?? target.name];
    case "pod":
      return [`${podsOf(target)}${target.name}`];
    case "virtualMachine":
      return [podsOf(target)];
    case "node":
      return [target.name, NOWHERE];
    case "identity":
    case "role":
    case "segment":
      return [target.name];
  }
}

/** What a renewal does not carry on by itself: whoever had the certificate is its holder. */
const FOLLOWED: ReadonlySet<RestrictionTarget["by"]> = new Set(["serial", "pod", "virtualMachine", "node"]);

/** Certificates with all that were renewed by them, and by those, whether or not they have ended themselves. */
function withRenewals<Certificate extends IssuedCertificate>(
  named: readonly Certificate[],
  byShown: ReadonlyMap<string | undefined, readonly Certificate[]>,
): readonly Certificate[] {
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
