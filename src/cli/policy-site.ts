import { ok, problem, refuseAll, type Result } from "../domain/problem.ts";
import type { Site } from "../policy/compile/doors.ts";
import { type AddressSet, NO_ADDRESSES, parseCidr, setOf, uniteAddresses } from "../policy/sets/address-set.ts";
import { siteOf } from "../reconcile/policies/site.ts";
import type { Inventory } from "./inventory.ts";

/** What of the place that is compiled for an inventory tells. */
export const siteOfInventory = ({ catalogue, members, world }: Inventory, podNetworks: AddressSet): Site =>
  siteOf({ catalogue, members, attachments: world.attachments, podNetworks });

/** Reads the Pod networks that `--pod-cidr` names. */
export function readPodNetworks(texts: readonly string[]): Result<AddressSet> {
  const read = texts.map((text) => ({ text, block: parseCidr(text) }));
  const bad = read.filter(({ block }) => block === undefined);
  if (bad.length > 0)
    return refuseAll(
      bad.map(({ text }) => problem("USAGE", "--pod-cidr", `"${text}" is no CIDR.`, "Write it as 10.244.0.0/16.")),
    );
  return ok(
    read.reduce<AddressSet>((all, { block }) => (block ? uniteAddresses(all, setOf(block)) : all), NO_ADDRESSES),
  );
}
