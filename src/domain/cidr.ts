import { ok, refuse, type Result } from "./problem.ts";

/** A range of addresses, both ends included. `family` is 4 or 6. */
export type Cidr = { readonly family: 4 | 6; readonly first: bigint; readonly last: bigint; readonly text: string };

/** Reads `10.0.0.0/8` or `2001:db8::/32`. Bits behind the prefix are ignored, as every data plane ignores them. */
export function parseCidr(text: string, path: string): Result<Cidr> {
  const [address = "", prefix = "", ...rest] = text.split("/");
  const parsed = parseAddress(address);
  const bits = /^(0|[1-9]\d{0,2})$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (parsed === undefined || rest.length > 0 || !(bits <= width(parsed.family))) return notACidr(text, path);
  const free = BigInt(width(parsed.family) - bits);
  const first = (parsed.value >> free) << free;
  return ok({ family: parsed.family, first, last: first + (1n << free) - 1n, text });
}

const notACidr = (text: string, path: string): Result<never> =>
  refuse(
    "FIELD_INVALID",
    path,
    `"${text}" is not a CIDR.`,
    "Write an address and a prefix length, for example 10.0.0.0/8.",
  );

const width = (family: 4 | 6): number => (family === 4 ? 32 : 128);

/** Reads one IPv4 or IPv6 address; undefined where it is none. Leading zeroes are refused: readers disagree on them. */
export function parseAddress(text: string): { readonly family: 4 | 6; readonly value: bigint } | undefined {
  const value = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  return value === undefined ? undefined : { family: text.includes(":") ? 6 : 4, value };
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const left = groups(halves[0] ?? "");
  const right = groups(halves[1] ?? "");
  if (left === undefined || right === undefined) return undefined;
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...left, ...Array<bigint>(missing).fill(0n), ...right].reduce((sum, group) => (sum << 16n) | group, 0n);
}

/** The 16-bit groups of one side of `::`; a trailing IPv4 address counts as two. */
function groups(text: string): readonly bigint[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const tail = parts.at(-1) ?? "";
  const v4 = tail.includes(".") ? parseIpv4(tail) : undefined;
  if (tail.includes(".") && v4 === undefined) return undefined;
  const hex = v4 === undefined ? parts : parts.slice(0, -1);
  if (!hex.every((part) => /^[0-9a-fA-F]{1,4}$/.test(part))) return undefined;
  const values = hex.map((part) => BigInt(`0x${part}`));
  return v4 === undefined ? values : [...values, v4 >> 16n, v4 & 0xffffn];
}
