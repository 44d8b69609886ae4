import { type AddressSet, ALL_ADDRESSES, subtractAddresses, v4Text, v6Text } from "../sets/address-set.ts";
import { pairs } from "../sets/intervals.ts";

/** A range and what is left out of it, as CIDRs: the form that network policies have for addresses. */
export type Block = { readonly cidr: string; readonly except: readonly string[] };

/** A set of addresses in as few blocks as either way of writing needs: as it is, or as everything but the rest. */
export function blocksOf(set: AddressSet): readonly Block[] {
  const rest = subtractAddresses(ALL_ADDRESSES, set);
  return [
    ...familyBlocks("0.0.0.0/0", v4Cidrs(set), v4Cidrs(rest)),
    ...familyBlocks("::/0", v6Cidrs(set), v6Cidrs(rest)),
  ];
}

function familyBlocks(whole: string, cidrs: readonly string[], rest: readonly string[]): readonly Block[] {
  if (cidrs.length === 0) return [];
  if (rest.length < cidrs.length) return [{ cidr: whole, except: rest }];
  return cidrs.map((cidr) => ({ cidr, except: [] }));
}

/** A set as CIDRs without exceptions, in order. */
export const cidrsOf = (set: AddressSet): readonly string[] => [...v4Cidrs(set), ...v6Cidrs(set)];

const v4Cidrs = ({ v4 }: AddressSet): readonly string[] =>
  pairs(v4).flatMap(([from, until]) =>
    splitRange(BigInt(from), BigInt(until), 32).map(([first, bits]) => `${v4Text(Number(first))}/${bits}`),
  );

const v6Cidrs = ({ v6 }: AddressSet): readonly string[] =>
  pairs(v6).flatMap(([from, until]) =>
    splitRange(from, until, 128).map(([first, bits]) => `${shortV6(first)}/${bits}`),
  );

/** Cuts a half-open range into the largest aligned blocks, as [first address, prefix length]. */
function splitRange(from: bigint, until: bigint, width: number): readonly (readonly [bigint, number])[] {
  const blocks: [bigint, number][] = [];
  for (let at = from; at < until; ) {
    let bits = width;
    while (bits > 0 && fits(at, until, width - bits + 1)) bits -= 1;
    blocks.push([at, bits]);
    at += 1n << BigInt(width - bits);
  }
  return blocks;
}

const fits = (at: bigint, until: bigint, free: number): boolean => {
  const size = 1n << BigInt(free);
  return at % size === 0n && at + size <= until;
};

/** The longest run of zero groups is written as `::` (RFC 5952 §4.2). */
function shortV6(address: bigint): string {
  const runs = [...v6Text(address).matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)];
  const longest = runs.reduce<RegExpExecArray | undefined>(
    (best, run) => (run[0].length > (best?.[0].length ?? 0) ? run : best),
    undefined,
  );
  if (!longest) return v6Text(address);
  const text = v6Text(address);
  return `${text.slice(0, longest.index)}::${text.slice(longest.index + longest[0].length).replace(/^:/, "")}`;
}
