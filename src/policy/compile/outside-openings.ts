import type { OutsideEnd, WorkloadEnd } from "../../domain/flow.ts";
import type { Peer, PortSpec } from "../../domain/sentences.ts";
import type { Intent } from "../intent/intent.ts";
import type { Line } from "../intent/line.ts";
import { mayOpen } from "../intent/pair.ts";
import type { Direction } from "../model/policy.ts";
import { noBits } from "../reach/bits.ts";
import { type AddressSet, ALL_ADDRESSES, noAddresses, setOf, subtractAddresses } from "../sets/address-set.ts";
import { type Blocked, crosses } from "./blocked.ts";
import { FAR, type Opening } from "./opening.ts";
import { lessPorts } from "./ports.ts";

/** One door of a cell: the end that stands for it, and its place. */
type Door = { readonly end: WorkloadEnd; readonly place: number; readonly direction: Direction };

/** What is known wherever doors are worked out. */
type Around = { readonly intent: Intent; readonly blocked: Blocked; readonly inside: AddressSet };

const OUTSIDE: OutsideEnd = { kind: "outside" };

/** What of a line opens a door to those who are no workloads. */
export function outsideOpenings({ intent, blocked, inside }: Around, line: Line, door: Door): readonly Opening[] {
  const { end, place, direction } = door;
  const [from, to] = direction === "ingress" ? [OUTSIDE, end] : [end, OUTSIDE];
  if (!mayOpen(intent, line, from, to)) return [];
  const denials = crosses(line) ? [] : blocked.denials(place, direction);
  const cells = noBits(blocked.cut.length * 32);
  const peer = line[FAR[direction]];
  const written = addressesOf(peer);
  const addresses = written && subtractAddresses(written, inside);
  if (!addresses)
    return isOther(peer)
      ? [{ line, cells, parties: [{ kind: "other", peer }], on: lessAll(line.on, denials, FAR[direction]) }]
      : [];
  return lessDenied({ addresses, on: line.on }, denials, FAR[direction]).map((left) => ({
    line,
    cells,
    on: left.on,
    parties: [{ kind: "addresses", addresses: left.addresses }],
  }));
}

/** The addresses that a peer names; undefined where it names none. */
export function addressesOf(peer: Peer): AddressSet | undefined {
  if (peer.by === "entity") return peer.name === "nodes" ? undefined : ALL_ADDRESSES;
  if (peer.by !== "cidr") return undefined;
  const { family, first, last } = peer.cidr;
  return setOf(
    family === 4 ? { family, range: [Number(first), Number(last) + 1] } : { family, range: [first, last + 1n] },
  );
}

/** A DNS name, a foreign identity, or nodes. */
export const isOther = (peer: Peer): boolean =>
  peer.by === "fqdn" || peer.by === "externalIdentity" || (peer.by === "entity" && peer.name === "nodes");

type Addresses = { readonly addresses: AddressSet; readonly on: readonly PortSpec[] };

/** A name or an identity that is denied may be anybody's outside, so it closes all addresses. */
function lessDenied(whole: Addresses, denials: readonly Line[], far: "from" | "to"): readonly Addresses[] {
  let left: readonly Addresses[] = [whole];
  for (const denial of denials) {
    const denied = isOther(denial[far]) ? ALL_ADDRESSES : addressesOf(denial[far]);
    if (!denied || isNodes(denial[far])) continue;
    left = left.flatMap(({ addresses, on }) => [
      { addresses: subtractAddresses(addresses, denied), on },
      {
        addresses: subtractAddresses(addresses, subtractAddresses(ALL_ADDRESSES, denied)),
        on: lessPorts(on, denial.on),
      },
    ]);
  }
  return left.filter(({ addresses, on }) => on.length > 0 && !noAddresses(addresses));
}

const isNodes = (peer: Peer): boolean => peer.by === "entity" && peer.name === "nodes";

/** What remains of ports towards names, identities and nodes once every denial that may mean them is taken out. */
const lessAll = (on: readonly PortSpec[], denials: readonly Line[], far: "from" | "to"): readonly PortSpec[] =>
  denials
    .filter((denial) => addressesOf(denial[far]) !== undefined || isOther(denial[far]))
    .reduce<readonly PortSpec[]>((left, denial) => lessPorts(left, denial.on), on);
