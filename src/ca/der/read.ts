/** A value in DER that was read: its tag, its contents, and all of its octets. */
export type Value = { readonly tag: number; readonly contents: Buffer; readonly whole: Buffer };

/** What is not DER as X.690 §10 asks for; readers at the border turn it into a refusal. */
export class NotDer extends Error {}

/** Reads the one value that a text of octets is; anything after it is refused. */
export function readOne(bytes: Buffer): Value {
  const value = readAt(bytes, 0);
  if (value.whole.length !== bytes.length) throw new NotDer("octets follow the value");
  return value;
}

/** The values inside a constructed value, in their order; at most `most`. */
export function readInside(outer: Value, tag: number, most = 64): readonly Value[] {
  if (outer.tag !== tag) throw new NotDer(`tag ${outer.tag.toString(16)} where ${tag.toString(16)} is due`);
  const found: Value[] = [];
  for (let at = 0; at < outer.contents.length; ) {
    if (found.length === most) throw new NotDer("too many values");
    const value = readAt(outer.contents, at);
    found.push(value);
    at += value.whole.length;
  }
  return found;
}

/** The values inside a constructed value that has exactly these parts, by their names. */
export function readNamed<Name extends string>(
  outer: Value,
  tag: number,
  names: readonly Name[],
): Readonly<Record<Name, Value>> {
  const values = readInside(outer, tag, names.length);
  const named: Partial<Record<Name, Value>> = {};
  for (const [index, value] of values.entries()) named[names[index] as Name] = value;
  if (values.length !== names.length) throw new NotDer(`it has not the parts ${names.join(", ")}`);
  return named as Record<Name, Value>;
}

/** What is signed, by which algorithm, and the signature: the form of certificates, requests and lists (RFC 5280 §4.1.1). */
export function readSigned(whole: Buffer): {
  readonly signed: Value;
  readonly algorithm: Value;
  readonly signature: Buffer;
} {
  const [signed, algorithm, bits, ...more] = readInside(readOne(whole), 0x30);
  if (!signed || !algorithm || !bits || more.length > 0)
    throw new NotDer("it has not the three parts of a signed value");
  if (bits.tag !== 0x03 || bits.contents[0] !== 0)
    throw new NotDer("the signature is not a BIT STRING of whole octets");
  return { signed, algorithm, signature: bits.contents.subarray(1) };
}

function readAt(bytes: Buffer, at: number): Value {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new NotDer("it ends within a value");
  if ((tag & 0x1f) === 0x1f) throw new NotDer("a tag of several octets");
  const count = first < 0x80 ? 0 : first & 0x7f;
  const length = first < 0x80 ? first : longLength(bytes, at + 1, count);
  const start = at + 2 + count;
  if (start + length > bytes.length) throw new NotDer("it ends within a value");
  return { tag, contents: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
}

/** At most three octets, and never more than are needed (X.690 §10.1). */
function longLength(bytes: Buffer, at: number, count: number): number {
  if (count === 0 || count > 3) throw new NotDer("a length without a definite, sensible form");
  if (at + count >= bytes.length) throw new NotDer("it ends within a length");
  const length = bytes.readUIntBE(at + 1, count);
  if (length < (count === 1 ? 0x80 : 1 << (8 * (count - 1)))) throw new NotDer("a length longer than needed");
  return length;
}
