import { QUARANTINE_LABEL } from "../../domain/reserved-keys.ts";
import { isActive, type Peer, type PortSpec } from "../../domain/sentences.ts";
import { type Line, type Ruling } from "../intent/line.ts";
import type { Direction } from "../model/policy.ts";
import { type Bits, both, eachBit, hasBit, isEmpty, noBits, setBit, without } from "../reach/bits.ts";
import { type AddressSet, ALL_ADDRESSES, noAddresses, subtractAddresses } from "../sets/address-set.ts";
import { crosses, mayMean } from "./blocked.ts";
import { remembered } from "../../domain/remembered.ts";
import type { Ground } from "./doors.ts";
import { type Crossing, fenceRefusals, unionOf } from "./fences.ts";
import { addressesOf, isOther } from "./outside-openings.ts";
import type { Party, Pods } from "./parties.ts";
import { stillDenied } from "./ports.ts";

/** Something that is refused at one door of some Pods, for data planes that can deny above all that is allowed. */
export type Refusal = {
  /** `fence-environment-prod`, `deny-base-0`, `quarantine`: what object names are made of. */
  readonly origin: string;
  readonly ruling: Pick<Ruling, "object" | "path">;
  readonly subject: Pods;
  readonly direction: Direction;
  readonly parties: readonly Party[];
  readonly on: readonly PortSpec[];
};

/** Fences, denials and quarantines, without what exceptions lift. Between workloads the door of the destination refuses. */
export const refusalsOf = remembered((ground: Ground): readonly Refusal[] => {
  const crossings = ground.intent.lines
    .filter((line) => crosses(line) && isActive(line, ground.now))
    .map(crossingOf(ground));
  const denials = ground.intent.lines.filter((line) => line.kind === "deny" && isActive(line, ground.now));
  return [
    ...quarantines(ground),
    ...quarantinedPods(ground),
    ...ground.intent.fences.flatMap((fence) => fenceRefusals(ground, fence, crossings)),
    ...denials.flatMap((line) => [...betweenPods(ground, line, crossings), ...towardsOutside(ground, line)]),
  ];
});

const crossingOf =
  ({ selecting }: Ground) =>
  (line: Line): Crossing => ({ line, from: selecting.sure(line.from), to: selecting.sure(line.to) });

const EVERYONE: Party = { kind: "everyone" };
const ANY: readonly PortSpec[] = [{ protocol: "any" }];

function quarantines({ cells, selecting, intent, blocked: { cut } }: Ground): readonly Refusal[] {
  const refusals: Refusal[] = [];
  eachBit(cut, (place) => {
    const cell = cells[place];
    const ruling = cell && intent.quarantineOf(cell.end);
    if (!ruling) return;
    const bits = noBits(cells.length);
    setBit(bits, place);
    for (const subject of selecting.each(bits)) refusals.push(...cutOff(ruling, subject));
  });
  return refusals;
}

/** Single Pods under quarantine, wherever they are: by the label that they carry. */
function quarantinedPods({ site }: Ground): readonly Refusal[] {
  const subject: Pods = {
    kind: "pods",
    namespaces: [],
    pods: [{ key: QUARANTINE_LABEL, operator: "Exists", values: [] }],
  };
  const rulings = (site.quarantined ?? []).flatMap((one) => one.rulings);
  const once = rulings.filter((one, index) => rulings.findIndex(({ object }) => object === one.object) === index);
  return once.flatMap((ruling) => cutOff(ruling, subject));
}

/** Everybody, in both directions. */
const cutOff = (ruling: Refusal["ruling"], subject: Pods): readonly Refusal[] => [
  { origin: "quarantine", ruling, subject, direction: "ingress", parties: [EVERYONE], on: ANY },
  { origin: "quarantine", ruling, subject, direction: "egress", parties: [EVERYONE], on: ANY },
];

const podsIn = (parties: readonly Party[]): readonly Pods[] =>
  parties.flatMap((party) => (party.kind === "pods" ? [party] : []));

const originOf = ({ object, path }: Line): string =>
  `deny-${object.replace(/^Guardrail /, "")}-${/\[(\d+)\]$/.exec(path)?.[1] ?? "0"}`;

/** A denial between Pods, at the destination; destinations that an exception names have rules of their own. */
function betweenPods(ground: Ground, line: Line, crossings: readonly Crossing[]): readonly Refusal[] {
  const [from, to] = [mayMean(line.from, ground.cells), mayMean(line.to, ground.cells)];
  const lifted = crossings.filter((one) => !isEmpty(both(one.from, from)) && !isEmpty(both(one.to, to)));
  const touched = both(unionOf(lifted, "to", ground), to);
  const plain = deniedPods(ground, line.to, without(to, touched)).map((subject) => ({
    subject,
    peers: from,
    on: line.on,
  }));
  return [...plain, ...liftedAt(ground, line, { from, touched, lifted })].flatMap(({ subject, peers, on }) => {
    const parties = deniedPods(ground, line.from, peers);
    const base = { origin: originOf(line), ruling: line, direction: "ingress" } as const;
    return on.length === 0 || parties.length === 0 ? [] : [{ ...base, subject, parties, on }];
  });
}

type Lifted = { readonly from: Bits; readonly touched: Bits; readonly lifted: readonly Crossing[] };
type Left = { readonly subject: Pods; readonly peers: Bits; readonly on: readonly PortSpec[] };

/** What is left of a denial at each destination that exceptions name. */
function liftedAt({ cells, selecting }: Ground, line: Line, { from, touched, lifted }: Lifted): readonly Left[] {
  const left: Left[] = [];
  eachBit(touched, (place) => {
    const one = noBits(cells.length);
    setBit(one, place);
    for (const subject of selecting.each(one)) {
      const whole: readonly Left[] = [{ subject, peers: from, on: line.on }];
      left.push(...lifted.filter(({ to }) => hasBit(to, place)).reduce(lessCrossing, whole));
    }
  });
  return left;
}

const lessCrossing = (parts: readonly Left[], crossing: Crossing): readonly Left[] =>
  parts.flatMap((part) => [
    { ...part, peers: without(part.peers, crossing.from) },
    { ...part, peers: both(part.peers, crossing.from), on: stillDenied(part.on, crossing.line.on) },
  ]);

/** The Pods that a denial means: Pods without a role by the very labels it names, all others by cell. */
function deniedPods({ selecting, cells }: Ground, peer: Peer, bits: Bits): readonly Pods[] {
  if (isEmpty(bits)) return [];
  if (peer.by !== "namespace") return podsIn(selecting.partiesOf(peer, bits));
  const cell = cells.find(({ namespace, role }) => namespace === peer.name && role === undefined);
  if (!cell) return [];
  return [
    {
      kind: "pods",
      namespaces: [{ key: "kubernetes.io/metadata.name", operator: "In", values: [peer.name] }],
      pods: selecting.podsOf({ ...cell, labels: peer.podLabels }),
    },
  ];
}

/** A denial towards the outside, at the door of the source; a name or an identity may be anybody there. */
function towardsOutside(ground: Ground, line: Line): readonly Refusal[] {
  const addresses = deniedAddresses(line.to, ground.inside);
  if (noAddresses(addresses)) return [];
  return deniedPods(ground, line.from, mayMean(line.from, ground.cells)).map((subject) => ({
    origin: originOf(line),
    ruling: line,
    subject,
    direction: "egress",
    parties: [{ kind: "addresses", addresses }],
    on: line.on,
  }));
}

function deniedAddresses(peer: Peer, inside: AddressSet): AddressSet {
  const written = addressesOf(peer) ?? (isOther(peer) && peer.by !== "entity" ? ALL_ADDRESSES : undefined);
  return written ? subtractAddresses(written, inside) : { v4: [], v6: [] };
}
