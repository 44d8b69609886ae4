import type { Entry } from "./chain.ts";
import { emptyGroup, groupLine } from "./groups.ts";

/** Where an entry lies in a pack: in bytes, and how many stand before it. */
export type Place = { readonly from: number; readonly to: number; readonly index: number };

/** Bytes that lay in a pack, on their way to another thread and back; nobody but their holder may touch them. */
export type Lent = Uint8Array<ArrayBuffer>;

/** at as a double, then the lengths of kind, subject and body in bytes. */
const HEADER_BYTES = 20;
const FIRST_BYTES = 64 * 1024;
/** A buffer that grew larger in some bad hour is not kept for the good ones. */
const MOST_KEPT_BYTES = 4 * 1024 * 1024;
/** A group that is as long is closed: whoever reads a record holds it whole. */
const MOST_GROUPED_BYTES = 64 * 1024;

/** The last record of a pack, where it is a group that takes more: of which kind, and where it begins. */
type Open = { readonly kind: string; readonly from: number };

/**
 * Entries that wait, as bytes outside the heap: thousands that lived there for a moment would be carried over by the garbage
 * collector, and be copied one by one on their way to the ledger's thread.
 */
export class PackedEntries {
  #buffer: Buffer<ArrayBuffer>;
  #length = 0;
  #count = 0;
  #open: Open | undefined;

  /** Takes the memory of a pack that is no longer needed, where there is one: fresh memory by the megabyte wakes the collector. */
  constructor(memory?: ArrayBuffer) {
    this.#buffer = memory ? Buffer.from(memory) : Buffer.allocUnsafeSlow(FIRST_BYTES);
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#length;
  }

  /** Adds an entry at the end, as a record of its own. */
  add(entry: Entry): Place {
    this.#open = undefined;
    return this.#add(entry);
  }

  /** Adds an entry to the group at the end, which is begun where there is none. */
  group(entry: Entry): void {
    const open = this.#open;
    const fits = open?.kind === entry.kind && this.#length - open.from < MOST_GROUPED_BYTES;
    this.#append(fits ? open : this.#begin(entry), entry);
    this.#count += 1;
  }

  #begin(entry: Entry): Open {
    const { from } = this.#add(emptyGroup(entry));
    this.#count -= 1;
    this.#open = { kind: entry.kind, from };
    return this.#open;
  }

  /** A group is as old as its newest entry. */
  #append({ from }: Open, entry: Entry): void {
    const line = groupLine(entry);
    this.#reserve(3 * line.length);
    const buffer = this.#buffer;
    const size = buffer.write(line, this.#length);
    buffer.writeDoubleLE(Math.max(buffer.readDoubleLE(from), entry.at), from);
    buffer.writeUInt32LE(buffer.readUInt32LE(from + 16) + size, from + 16);
    this.#length += size;
  }

  #add({ kind, subject, at, body }: Entry): Place {
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
    return { from, to: end, index: this.#count - 1 };
  }

  /** Adds all entries of another pack behind its own; gives how far their places move. */
  addAll(other: PackedEntries): { readonly bytes: number; readonly entries: number } {
    const moved = { bytes: this.#length, entries: this.#count };
    this.#put(other.#buffer.subarray(0, other.#length), other.#count);
    return moved;
  }

  #put(bytes: Uint8Array, count: number): void {
    this.#open = undefined;
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    this.#count += count;
  }

  #reserve(size: number): void {
    if (this.#buffer.length - this.#length >= size) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + size));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }

  /** Lends all bytes, uncopied, to be transferred; until they are back the pack only knows how many entries it has. */
  lend(): Lent {
    return new Uint8Array(this.#buffer.buffer, 0, this.#length);
  }

  /** Takes back what was lent. */
  takeBack(lent: Lent): void {
    this.#buffer = Buffer.from(lent.buffer);
  }

  /** The memory, for another pack, of a pack that is not used any more. */
  memory(): ArrayBuffer | undefined {
    return this.#buffer.length <= MOST_KEPT_BYTES ? this.#buffer.buffer : undefined;
  }

  /** The same entries but for those at the places, which are in order. */
  without(places: readonly Place[]): PackedEntries {
    const kept = new PackedEntries();
    let from = 0;
    for (const place of [...places, { from: this.#length, to: this.#length }]) {
      kept.#put(this.#buffer.subarray(from, place.from), 0);
      from = place.to;
    }
    kept.#count = this.#count - places.length;
    return kept;
  }
}

/** The entries of a pack, one after the other: none is held longer than its reader holds it. */
export function* unpack(bytes: Uint8Array): Generator<Entry> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let from = 0; from < buffer.length; ) {
    const kindAt = from + HEADER_BYTES;
    const subjectAt = kindAt + buffer.readUInt32LE(from + 8);
    const bodyAt = subjectAt + buffer.readUInt32LE(from + 12);
    const end = bodyAt + buffer.readUInt32LE(from + 16);
    yield {
      kind: buffer.toString("utf8", kindAt, subjectAt),
      subject: buffer.toString("utf8", subjectAt, bodyAt),
      at: buffer.readDoubleLE(from),
      body: buffer.toString("utf8", bodyAt, end),
    };
    from = end;
  }
}
