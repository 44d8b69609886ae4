/** What is not protobuf as it is encoded (protobuf.dev, Encoding); readers at the border turn it into a refusal. */
export class NotProtobuf extends Error {}

/** One field of a message: its number, and its value: a number for a varint, octets for what has a length. */
export type Field = { readonly number: number; readonly value: bigint | Buffer };

const VARINT = 0;
const LENGTH = 2;
/** Octets of the types of fixed length, which no message here has and which are passed over. */
const FIXED: Readonly<Record<number, number>> = { 1: 8, 5: 4 };
const MOST_FIELDS = 256;

/** The fields of a message in their order. Groups, and what ends too early, are refused. */
export function readFields(bytes: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const octet = bytes[at++];
      if (octet === undefined) throw new NotProtobuf("it ends within a number");
      value |= BigInt(octet & 0x7f) << shift;
      if (octet < 0x80) return BigInt.asUintN(64, value);
    }
    throw new NotProtobuf("a number of more than ten octets");
  };
  const octets = (length: number): Buffer => {
    if (length > bytes.length - at) throw new NotProtobuf("it ends within a field");
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    if (fields.length === MOST_FIELDS) throw new NotProtobuf("too many fields");
    const tag = Number(varint());
    const [number, type] = [Math.floor(tag / 8), tag % 8];
    if (number < 1 || number > 0x1fff_ffff) throw new NotProtobuf("a field without a number");
    if (type === VARINT) fields.push({ number, value: varint() });
    else if (type === LENGTH) fields.push({ number, value: octets(Number(varint())) });
    else octets(FIXED[type] ?? Number.POSITIVE_INFINITY);
  }
  return fields;
}

/** A field with a length: text or octets. */
export function lengthField(number: number, value: string | Uint8Array): Buffer {
  const length = typeof value === "string" ? Buffer.byteLength(value) : value.length;
  const head = [...varint(number * 8 + LENGTH), ...varint(length)];
  const field = Buffer.allocUnsafe(head.length + length);
  field.set(head);
  if (typeof value === "string") field.write(value, head.length);
  else field.set(value, head.length);
  return field;
}

/** A field with a whole number that is not negative. */
export const numberField = (number: number, value: number): Buffer =>
  Buffer.from([...varint(number * 8 + VARINT), ...varint(value)]);

function varint(value: number): readonly number[] {
  const octets: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 128)) octets.push((left % 128) | 0x80);
  return [...octets, left];
}
