/** A value in DER that was read, where it lies in what was read: what nobody asks for is not cut out. */
export class Value {
  readonly tag: number;
  readonly bytes: Buffer;
  readonly at: number;
  readonly start: number;
  readonly end: number;

  constructor(tag: number, bytes: Buffer, { at, start, end }: Readonly<Record<"at" | "start" | "end", number>>) {
    this.tag = tag;
    this.bytes = bytes;
    this.at = at;
    this.start = start;
    this.end = end;
  }

  /** The octets of its contents. */
  get contents(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  /** All of its octets. */
  get whole(): Buffer {
    return this.bytes.subarray(this.at, this.end);
  }
}

/** What is not DER as X.690 §10 asks for; readers at the border turn it into a refusal. */
export class NotDer extends Error {}

/** Reads the one value that a text of octets is; anything after it is refused. */
export function readOne(bytes: Buffer): Value {
  const value = readAt(bytes, 0, bytes.length);
  if (value.end !== bytes.length) throw new NotDer("octets follow the value");
  return value;
}

/** The values inside a constructed value, in their order; at most `most`. */
export function readInside(outer: Value, tag: number, most = 64): readonly Value[] {
  if (outer.tag !== tag) throw new NotDer(`tag ${outer.tag.toString(16)} where ${tag.toString(16)} is due`);
  const found: Value[] = [];
  for (let at = outer.start; at < outer.end; ) {
    if (found.length === most) throw new NotDer("too many values");
    const value = readAt(outer.bytes, at, outer.end);
    found.push(value);
    at = value.end;
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

/** The value that begins there, and ends no later than it may. */
function readAt(bytes: Buffer, at: number, limit: number): Value {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || at + 2 > limit) throw new NotDer("it ends within a value");
  if ((tag & 0x1f) === 0x1f) throw new NotDer("a tag of several octets");
  const count = first < 0x80 ? 0 : first & 0x7f;
  const length = first < 0x80 ? first : longLength(bytes, { at: at + 2, count, limit });
  const start = at + 2 + count;
  const end = start + length;
  if (end > limit) throw new NotDer("it ends within a value");
  return new Value(tag, bytes, { at, start, end });
}

type Octets = { readonly at: number; readonly count: number; readonly limit: number };

/** At most three octets, and never more than are needed (X.690 §10.1). */
function longLength(bytes: Buffer, { at, count, limit }: Octets): number {
  if (count === 0 || count > 3) throw new NotDer("a length without a definite, sensible form");
  if (at + count > limit) throw new NotDer("it ends within a length");
  const length = bytes.readUIntBE(at, count);
  if (length < (count === 1 ? 0x80 : 1 << (8 * (count - 1)))) throw new NotDer("a length longer than needed");
  return length;
}
