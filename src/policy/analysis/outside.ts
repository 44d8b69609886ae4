import type { Outside } from "../model/endpoint.ts";
import type { Direction, Policy } from "../model/policy.ts";
import { type AddressSet, addressText, ALL_V4, V4_END } from "../sets/address-set.ts";

/** Where rules of one direction cut the outside: every bound of every IPv4 range they name, sorted, from 0 to 2³². */
export function cutsOf(policies: readonly Policy[], direction: Direction): readonly number[] {
  const bounds = new Set<number>(ALL_V4);
  for (const policy of policies)
    for (const rule of policy.kind === "MultiNetworkPolicy" ? [] : (policy.rules[direction] ?? []))
      for (const peer of rule.peers === "anyone" ? [] : rule.peers)
        if (peer.kind === "addresses") for (const bound of peer.addresses.v4) bounds.add(bound);
  return [...bounds].sort((a, b) => a - b);
}

/** The outside, cut at the given bounds: no rule tells two addresses of one range apart. */
export const outsideRanges = (cuts: readonly number[]): readonly Outside[] =>
  cuts.slice(0, -1).map((from, index) => outside({ v4: [from, cuts[index + 1] ?? V4_END], v6: [] }));

/** Addresses outside the cluster as one end of a flow. */
export const outside = (addresses: AddressSet): Outside => ({
  kind: "outside",
  text: `${addressText(addresses)}[External]`,
  addresses,
});
