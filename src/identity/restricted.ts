import type { Restriction, RestrictionTarget } from "../domain/definitions.ts";
import { problem, type Problem } from "../domain/problem.ts";
import type { SpiffeId } from "../domain/spiffe-id.ts";
import type { Workload } from "../domain/workload.ts";
import { ofOneLine } from "./renewal.ts";

/** A named object that a certificate is for, or that its holder runs on; a UID where it is known. */
export type NamedObject = { readonly namespace?: string; readonly name: string; readonly uid?: string };

/** Where the holder of an identity is: which Pod, virtual machine and node, as far as each is known and there. */
export type Whereabouts = {
  readonly pod?: NamedObject;
  readonly virtualMachine?: NamedObject;
  readonly node?: NamedObject;
};

/**
 * The virtual machine that a launcher Pod runs: KubeVirt gives an instance its machine's name. Without a UID, for the owner's
 * is the instance's, and a Restriction may have the machine's.
 */
export const machineOf = ({
  object,
  owner,
}: Pick<Workload, "object" | "owner">): Pick<Whereabouts, "virtualMachine"> =>
  owner?.kind === "VirtualMachineInstance" ? { virtualMachine: { namespace: object.namespace, name: owner.name } } : {};

/** Somebody who shows or wants a certificate. */
export type Holder = Whereabouts & {
  readonly identity: { readonly spiffeId: SpiffeId | undefined; readonly role: string; readonly segment: string };
  /** Of the certificate that is shown, lower-case hexadecimal. */
  readonly serial?: string;
};

/**
 * The first restriction in force that concerns this holder, by whatever it names: identity, serial (and all of its line),
 * role, segment, Pod, VM or node. A UID on both sides must be the same; where one side has none, the name decides, and restricts.
 */
export const restrictionOn = (restrictions: readonly Restriction[], holder: Holder): Restriction | undefined =>
  restrictions.find(({ target }) => concerns(target, holder));

function concerns(target: RestrictionTarget, holder: Holder): boolean {
  switch (target.by) {
    case "identity":
      return target.name === holder.identity.spiffeId;
    case "serial":
      return holder.serial !== undefined && ofOneLine(target.name, holder.serial);
    case "segment":
    case "role":
      return target.name === holder.identity[target.by];
    case "pod":
    case "virtualMachine":
    case "node":
      return sameObject(target, holder[target.by]);
  }
}

const sameObject = (target: NamedObject, found: NamedObject | undefined): boolean =>
  found !== undefined &&
  target.name === found.name &&
  (target.namespace === undefined || found.namespace === undefined || target.namespace === found.namespace) &&
  (target.uid === undefined || found.uid === undefined || target.uid === found.uid);

/**
 * The first restriction that may concern a Pod which has gone, and that thus stands against all who show a certificate of
 * which it is not known to which Pod it was issued: of a node, for who ran there is not known any more; of a Pod or virtual machine of this namespace, unless it
 * is one of the others, who hold other identities.
 */
export const restrictionOnGone = (
  restrictions: readonly Restriction[],
  namespace: string,
  others: readonly Whereabouts[],
): Restriction | undefined =>
  restrictions.find(({ target }) => {
    if (target.by === "node") return true;
    if (target.by !== "pod" && target.by !== "virtualMachine") return false;
    const { by, namespace: named = namespace } = target;
    return named === namespace && !others.some((other) => sameObject(target, other[by]));
  });

/** The refusal that follows from a restriction. */
export const restrictedProblem = ({ name, effect, reason }: Restriction): Problem =>
  problem(
    "IDENTITY_RESTRICTED",
    "",
    `Restriction ${name} (${effect}) stands against it: ${reason}`,
    `Whoever may approve restrictions can lift it: kubectl delete restriction ${name}`,
  );
