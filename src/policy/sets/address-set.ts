import { type Intervals, intersect, pairs, subtract, unite } from "./intervals.ts";

/** A set of IP addresses; the two families never meet. */
export type AddressSet = { readonly v4: Intervals<number>; readonly v6: Intervals<bigint> };

/** One address or block: its family, and the half-open interval it covers. */
export type AddressBlock =
  | { readonly family: 4; readonly range: readonly [number, number] }
  | { readonly family: 6; readonly range: readonly [bigint, bigint] };

/** No address. */
export const NO_ADDRESSES: AddressSet = { v4: [], v6: [] };
/** The end of IPv4: one past 255.255.255.255. */
export const V4_END = 2 ** 32;
/** Every IPv4 address. */
export const ALL_V4: Intervals<number> = [0, V4_END];
const V6_END = 1n << 128n;
/** Every address of both families. */
export const ALL_ADDRESSES: AddressSet = { v4: ALL_V4, v6: [0n, V6_END] };

/** Reads `10.0.0.0/8` or `fd00::/8` as Go's net.ParseCIDR does: host bits are masked off. Undefined if it is neither. */
export function parseCidr(text: string): AddressBlock | undefined {
  const slash = text.indexOf("/");
  const bits = text.slice(slash + 1);
  const address = slash < 0 ? undefined : parseAddress(text.slice(0, slash));
  if (!address || !/^(?:0|[1-9]\d{0,2})$/.test(bits)) return undefined;
  const prefix = Number(bits);
  if (address.family === 4) {
    if (prefix > 32) return undefined;
    const size = 2 ** (32 - prefix);
    const from = address.range[0] - (address.range[0] % size);
    return { family: 4, range: [from, from + size] };
  }
  if (prefix > 128) return undefined;
  const size = 1n << BigInt(128 - prefix);
  const from = address.range[0] - (address.range[0] % size);
  return { family: 6, range: [from, from + size] };
}

/** Reads one IPv4 or IPv6 address. Undefined if it is neither; leading zeros are refused, as they are read in two ways. */
export function parseAddress(text: string): AddressBlock | undefined {
  if (!text.includes(":")) {
    const v4 = parseV4(text);
    return v4 === undefined ? undefined : { family: 4, range: [v4, v4 + 1] };
  }
  const v6 = parseV6(text);
  return v6 === undefined ? undefined : { family: 6, range: [v6, v6 + 1n] };
}

function parseV4(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(groupsOf);
  if (!head || (halves.length === 2 && !tail)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...(tail ?? [])];
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
}

/** The 16-bit groups of one side of `::`; a dotted tail counts as two. Undefined if one is malformed. */
function groupsOf(text: string): readonly number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const dotted = index === parts.length - 1 && part.includes(".") ? parseV4(part) : undefined;
    if (dotted !== undefined) groups.push(Math.floor(dotted / 65536), dotted % 65536);
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** The set that holds one block. */
export const setOf = (block: AddressBlock): AddressSet =>
  block.family === 4 ? { v4: block.range, v6: [] } : { v4: [], v6: block.range };

/** Union of two address sets. */
export const uniteAddresses = (a: AddressSet, b: AddressSet): AddressSet => ({
  v4: unite(a.v4, b.v4),
  v6: unite(a.v6, b.v6),
});

/** Everything in `a` that is not in `b`. */
export const subtractAddresses = (a: AddressSet, b: AddressSet): AddressSet => ({
  v4: subtract(a.v4, b.v4),
  v6: subtract(a.v6, b.v6),
});

/** Whether the two sets share an address. */
export const meet = (a: AddressSet, b: AddressSet): boolean =>
  intersect(a.v4, b.v4).length > 0 || intersect(a.v6, b.v6).length > 0;

/** Whether every address of `inner` is in `outer`. */
export const includesAddresses = (outer: AddressSet, inner: AddressSet): boolean =>
  subtract(inner.v4, outer.v4).length === 0 && subtract(inner.v6, outer.v6).length === 0;

/** Whether the set is all of IPv4 or all of IPv6, so that an unknown address of a Pod is in it for certain. */
export const isWholeFamily = (set: AddressSet): boolean =>
  (set.v4[0] === 0 && set.v4[1] === V4_END) || (set.v6[0] === 0n && set.v6[1] === V6_END);

/** Whether there is no address in it. */
export const noAddresses = (set: AddressSet): boolean => set.v4.length === 0 && set.v6.length === 0;

/** `10.0.0.0`. */
export const v4Text = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");

/** `10.0.0.0-10.255.255.255`, or the eight groups of both ends for IPv6; blocks joined with commas. */
export const addressText = (set: AddressSet): string =>
  [
    ...pairs(set.v4).map(([from, until]) => `${v4Text(from)}-${v4Text(until - 1)}`),
    ...pairs(set.v6).map(([from, until]) => `${v6Text(from)}-${v6Text(until - 1n)}`),
  ].join(",");

/** Eight groups in hexadecimal, without leading zeroes. */
export const v6Text = (address: bigint): string =>
  Array.from({ length: 8 }, (_, index) => ((address >> BigInt(112 - 16 * index)) & 0xffffn).toString(16)).join(":");
