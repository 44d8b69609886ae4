import type { Instant } from "../../domain/instant.ts";
import type { PortSpec } from "../../domain/sentences.ts";
import { rulingText } from "../intent/line.ts";
import { DIRECTIONS, type Direction } from "../model/policy.ts";
import { hasBit } from "../reach/bits.ts";
import {
  type AddressSet,
  ALL_ADDRESSES,
  NO_ADDRESSES,
  noAddresses,
  subtractAddresses,
  uniteAddresses,
} from "../sets/address-set.ts";
import { cidrsOf } from "./blocks.ts";
import type { Doors, Subject } from "./doors.ts";
import type { Opening } from "./opening.ts";
import type { Machine } from "./parties.ts";
import { metadataOf, type Rendered, shortHash } from "./rendered.ts";

/** The name of the target nftables, the kernel's rules on a machine. */
export const NFTABLES = "nftables";

/**
 * The rules of each machine that has doors, as text for `nft -f`: one table, loaded whole or not at all. A line with an end
 * has its addresses in a set of its own whose elements the kernel drops then, whatever became of us.
 */
export const nftRules = (doors: Doors): readonly Rendered[] =>
  doors.site.machines
    .filter(({ kind }) => kind === "Machine")
    .flatMap((machine) => {
      const found = subjectOf(doors, machine);
      if (!found) return [];
      const subject = machine.quarantined ? { ...found, ingress: [], egress: [] } : found;
      return [
        {
          apiVersion: "host.signet.dev/v1",
          kind: "NftRules",
          metadata: metadataOf(NFTABLES, machine.name, machine.namespace, [...subject.ingress, ...subject.egress]),
          spec: { text: nftText(doors, subject) },
        },
      ];
    });

const subjectOf = ({ subjects }: Doors, { namespace, role }: Machine): Subject | undefined =>
  subjects.find(({ cell }) => cell.namespace === namespace && cell.role === role && cell.labels.length === 0);

/** One side of a rule: the set that its addresses are in, and what is matched beside them. */
type Part = { readonly set: NamedSet; readonly rules: readonly string[] };
type NamedSet = { readonly name: string; readonly text: string };

/** The whole table of a machine. */
export function nftText(doors: Doors, subject: Subject): string {
  const parts = DIRECTIONS.map((direction) => ({
    direction,
    parts: subject[direction].flatMap((opening) => partsOf(doors, opening, direction)),
  }));
  const sets = new Map(parts.flatMap(({ parts: all }) => all.map(({ set }) => [set.name, set.text] as const)));
  const chains = parts.map(({ direction, parts: all }) =>
    chainText(
      direction,
      all.flatMap(({ rules }) => rules),
    ),
  );
  return [
    "# Made by Signet. Loaded whole: nft -f FILE",
    "table inet signet",
    "delete table inet signet",
    "table inet signet {",
    ...sets.values(),
    ...chains,
    "}",
    "",
  ].join("\n");
}

const HOOKS = { ingress: "input", egress: "output" } as const;
const LOOPBACK = { ingress: "iifname", egress: "oifname" } as const;

const chainText = (direction: Direction, rules: readonly string[]): string =>
  [
    `  chain ${HOOKS[direction]} {`,
    `    type filter hook ${HOOKS[direction]} priority filter; policy drop;`,
    "    ct state established,related accept",
    `    ${LOOPBACK[direction]} "lo" accept`,
    "    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept",
    ...rules.map((rule) => `    ${rule}`),
    "  }",
  ].join("\n");

function partsOf(doors: Doors, opening: Opening, direction: Direction): readonly Part[] {
  const addresses = addressesIn(doors, opening);
  const rest = secondsLeft(opening, doors.now);
  return ([4, 6] as const).flatMap((family) => {
    const own = familyOf(addresses, family);
    if (noAddresses(own)) return [];
    const set = setText(opening, family, own, rest);
    const side = `${family === 4 ? "ip" : "ip6"} ${direction === "ingress" ? "saddr" : "daddr"} @${set.name}`;
    const comment = rulingText({ object: opening.line.object, path: opening.line.path }).slice(0, 100);
    return [
      { set, rules: opening.on.flatMap(matchOf).map((match) => `${side}${match} counter accept comment "${comment}"`) },
    ];
  });
}

const familyOf = ({ v4, v6 }: AddressSet, family: 4 | 6): AddressSet =>
  family === 4 ? { v4, v6: [] } : { v4: [], v6 };

/** Everybody that a line lets through, by address: machines and Pods as they are known now, and the outside. */
function addressesIn({ site, cells, inside }: Doors, { cells: bits, parties }: Opening): AddressSet {
  const known = [...site.machines, ...site.pods].filter(
    ({ namespace, role, quarantined }) =>
      quarantined === undefined &&
      cells.some((cell, place) => cell.namespace === namespace && cell.role === role && hasBit(bits, place)),
  );
  const outside = parties.map((party) => {
    if (party.kind === "everyone") return subtractAddresses(ALL_ADDRESSES, inside);
    return party.kind === "addresses" ? party.addresses : NO_ADDRESSES;
  });
  return [...known.map(({ addresses }) => addresses), ...outside].reduce(uniteAddresses, NO_ADDRESSES);
}

const secondsLeft = ({ line: { expires } }: Opening, now: Instant): number | undefined =>
  expires === undefined ? undefined : Math.max(1, Math.floor((expires - now) / 1000));

function setText({ line, on }: Opening, family: 4 | 6, addresses: AddressSet, rest: number | undefined): NamedSet {
  const end = line.expires === undefined ? [] : [line.expires];
  const name = `s${family}_${shortHash(JSON.stringify([line.object, line.path, on, cidrsOf(addresses), ...end]))}`;
  const timeout = rest === undefined ? "" : ` timeout ${rest}s`;
  const elements = cidrsOf(addresses).map((cidr) => `${cidr.replace(family === 4 ? /\/32$/ : /\/128$/, "")}${timeout}`);
  return {
    name,
    text: [
      `  set ${name} {`,
      `    type ${family === 4 ? "ipv4_addr" : "ipv6_addr"}`,
      `    flags interval${rest === undefined ? "" : ", timeout"}`,
      `    elements = { ${elements.join(", ")} }`,
      "  }",
    ].join("\n"),
  };
}

/** What is matched beside the addresses. A name of a port means nothing on a machine. */
function matchOf(spec: PortSpec): readonly string[] {
  if (spec.protocol === "any") return [""];
  if ("portName" in spec) return [];
  if (!("first" in spec)) return [` ${spec.protocol === "icmp" ? "icmp" : "icmpv6"} type ${spec.type ?? "0-255"}`];
  return [` ${spec.protocol} dport ${spec.first === spec.last ? spec.first : `${spec.first}-${spec.last}`}`];
}
