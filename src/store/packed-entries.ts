import type { Entry } from "./chain.ts";

/** Where an entry lies in a pack, in bytes. */
export type Place = { readonly from: number; readonly to: number };

/** at as a double, then the lengths of kind, subject and body in bytes. */
const HEADER_BYTES = 20;
const FIRST_BYTES = 64 * 1024;

/**
 * Entries that wait, as bytes outside the heap: thousands that lived there for a moment would be carried over by the garbage
 * collector, and be copied one by one on their way to the ledger's thread.
 */
export class PackedEntries {
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#length;
  }

  /** Adds an entry at the end. */
  add({ kind, subject, at, body }: Entry): Place {
    const from = this.#length;
    this.#reserve(HEADER_BYTES + 3 * (kind.length + subject.length + body.length));
    let end = from + HEADER_BYTES;
    const buffer = this.#buffer;
    buffer.writeDoubleLE(at, from);
    for (const [index, text] of [kind, subject, body].entries()) {
      const size = buffer.write(text, end);
      buffer.writeUInt32LE(size, from + 8 + 4 * index);
      end += size;
    }
    this.#length = end;
    this.#count += 1;
    return { from, to: end };
  }

  /** Adds whole entries that were packed elsewhere; gives how far their places move. */
  addPacked(bytes: Uint8Array, count: number): number {
    const moved = this.#length;
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, moved);
    this.#length += bytes.length;
    this.#count += count;
    return moved;
  }

  #reserve(size: number): void {
    if (this.#buffer.length - this.#length >= size) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + size));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }

  /** A copy of all bytes, in a buffer of its own that may be transferred. */
  copy(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer.buffer.slice(0, this.#length));
  }

  /** The same entries but for those at the places, which are in order. */
  without(places: readonly Place[]): PackedEntries {
    const kept = new PackedEntries();
    let from = 0;
    for (const place of [...places, { from: this.#length, to: this.#length }]) {
      kept.addPacked(this.#buffer.subarray(from, place.from), 0);
      from = place.to;
    }
    kept.#count = this.#count - places.length;
    return kept;
  }
}

/** The entries of a pack. */
export function unpack(bytes: Uint8Array): readonly Entry[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Entry[] = [];
  for (let from = 0; from < buffer.length; ) {
    const texts: string[] = [];
    let end = from + HEADER_BYTES;
    for (const index of [0, 1, 2]) {
      const size = buffer.readUInt32LE(from + 8 + 4 * index);
      texts.push(buffer.toString("utf8", end, end + size));
      end += size;
    }
    const [kind = "", subject = "", body = ""] = texts;
    entries.push({ kind, subject, at: buffer.readDoubleLE(from), body });
    from = end;
  }
  return entries;
}
