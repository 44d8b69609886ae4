import { type Cidr, parseCidr } from "../domain/cidr.ts";
import { ok, refuseAll, type Result } from "../domain/problem.ts";
import { type Place, problemAt } from "./read-object.ts";

/** Refuses the first of `cluster.podNetworks` that is no CIDR, with its place in the file. */
export function readPodNetworks(texts: readonly string[], place: Place): Result<undefined> {
  for (const [index, text] of texts.entries()) {
    const read = parseCidr(text, "");
    if (!read.ok)
      return refuseAll(read.problems.map((found) => problemAt(place, ["cluster", "podNetworks", index], found)));
  }
  return ok(undefined);
}

/** The networks of a configuration that was read. */
export const podNetworksIn = (texts: readonly string[]): readonly Cidr[] =>
  texts.flatMap((text) => {
    const read = parseCidr(text, "");
    return read.ok ? [read.value] : [];
  });
