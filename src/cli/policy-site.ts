import type { Labels } from "../domain/label-selector.ts";
import { ok, problem, refuseAll, type Result } from "../domain/problem.ts";
import { isPodLike } from "../policy/effective/end.ts";
import type { Site } from "../policy/compile/doors.ts";
import { isInside } from "../policy/model/endpoint.ts";
import {
  type AddressSet,
  NO_ADDRESSES,
  noAddresses,
  parseAddress,
  parseCidr,
  setOf,
  uniteAddresses,
} from "../policy/sets/address-set.ts";
import type { Inventory, Member } from "./inventory.ts";

/** What of the place that is compiled for the inventory tells: its machines, and who is named by a canary. */
export const siteOf = (inventory: Inventory, podNetworks: AddressSet): Site => ({
  podNetworks,
  networks: [...inventory.world.attachments].map((key) => {
    const [namespace = "", name = ""] = key.split("/");
    return { namespace, name };
  }),
  machines: inventory.members
    .filter(({ end }) => !isPodLike(end))
    .map(({ end }) => ({
      ...whoOf(end),
      kind: end.workloadKind === "Function" ? "Function" : "Machine",
      addresses: addressesOf(inventory, end),
    })),
  pods: inventory.members.flatMap(({ end, endpoint }) =>
    isInside(endpoint) && !noAddresses(endpoint.traits.addresses)
      ? [{ ...whoOf(end), kind: "Pod", addresses: endpoint.traits.addresses }]
      : [],
  ),
  canaries: inventory.members.flatMap((member) => {
    const { role, namespace, inCanary, segment } = member.end;
    const named = inventory.catalogue.segments.get(segment ?? "")?.canary.namespaces.includes(namespace);
    return role === undefined || !inCanary || named ? [] : [{ namespace, role, labels: labelsOf(member) }];
  }),
});

const whoOf = ({ namespace, object, role }: Member["end"]) => ({
  namespace,
  name: object.name,
  ...(role === undefined ? {} : { role }),
});

const labelsOf = ({ endpoint }: Member): Labels => (isInside(endpoint) ? endpoint.traits.labels : {});

const addressesOf = ({ catalogue }: Inventory, { namespace, object }: Member["end"]): AddressSet =>
  catalogue.definitions.externalWorkloads
    .filter((each) => each.namespace === namespace && each.name === object.name)
    .flatMap(({ addresses }) => addresses.map(parseAddress))
    .reduce<AddressSet>((all, block) => (block ? uniteAddresses(all, setOf(block)) : all), NO_ADDRESSES);

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
