import { type Cidr, parseCidr } from "../domain/cidr.ts";
import { ok, refuseAll, type Result } from "../domain/problem.ts";
import { setOf, text } from "./kinds/fields.ts";
import { type Place, problemAt } from "./read-object.ts";

/** `cluster.podNetworks` of the configuration. */
export const POD_NETWORKS = setOf(
  "Addresses that Pods have, as CIDRs, beside those that nodes name (spec.podCIDRs): what is in them is never outside.",
  text("A CIDR.", 43),
  64,
);

/** Refuses the first of `cluster.podNetworks` that is no CIDR, with its place in the file. */
export function readPodNetworks(texts: readonly string[] | undefined, place: Place): Result<undefined> {
  for (const [index, text] of (texts ?? []).entries()) {
    const read = parseCidr(text, "");
    if (!read.ok)
      return refuseAll(read.problems.map((found) => problemAt(place, ["cluster", "podNetworks", index], found)));
  }
  return ok(undefined);
}

/** The networks of a configuration that was read. */
export const podNetworksIn = (texts: readonly string[] = []): readonly Cidr[] =>
  texts.flatMap((text) => {
    const read = parseCidr(text, "");
    return read.ok ? [read.value] : [];
  });
