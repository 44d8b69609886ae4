/** A set of small whole numbers, one bit each. */
export type Bits = Uint32Array;

/** An empty set for the numbers below `size`. */
export const noBits = (size: number): Bits => new Uint32Array((size + 31) >>> 5);

/** Adds one number. */
export const setBit = (bits: Bits, index: number): void => {
  bits[index >>> 5] = (bits[index >>> 5] ?? 0) | (1 << (index & 31));
};

/** Whether the number is in the set. */
export const hasBit = (bits: Bits, index: number): boolean => (((bits[index >>> 5] ?? 0) >>> (index & 31)) & 1) === 1;

/** The places in a list at which the test holds. */
export function placesWhere<T>(list: readonly T[], test: (item: T, place: number) => boolean): Bits {
  const bits = noBits(list.length);
  for (const [index, item] of list.entries()) if (test(item, index)) setBit(bits, index);
  return bits;
}

/** Adds everything of `other` to `bits`. */
export function addAll(bits: Bits, other: Bits): void {
  for (let word = 0; word < bits.length; word += 1) bits[word] = (bits[word] ?? 0) | (other[word] ?? 0);
}

/** Takes everything of `other` out of `bits`. */
export function removeAll(bits: Bits, other: Bits): void {
  for (let word = 0; word < bits.length; word += 1) bits[word] = (bits[word] ?? 0) & ~(other[word] ?? 0);
}

/** What is in both, as a new set. */
export function both(a: Bits, b: Bits): Bits {
  const out = new Uint32Array(a.length);
  for (let word = 0; word < out.length; word += 1) out[word] = (a[word] ?? 0) & (b[word] ?? 0);
  return out;
}

/** What is in `a` and not in `b`, as a new set. */
export function without(a: Bits, b: Bits): Bits {
  const out = a.slice();
  removeAll(out, b);
  return out;
}

/** Whether nothing is in it. */
export function isEmpty(bits: Bits): boolean {
  for (let word = 0; word < bits.length; word += 1) if (bits[word] !== 0) return false;
  return true;
}

/** How many are in it. */
export function bitCount(bits: Bits): number {
  let count = 0;
  eachBit(bits, () => (count += 1));
  return count;
}

/** Calls back for each number in the set, ascending. */
export function eachBit(bits: Bits, visit: (index: number) => void): void {
  for (let word = 0; word < bits.length; word += 1) {
    let left = bits[word] ?? 0;
    while (left !== 0) {
      const lowest = left & -left;
      visit((word << 5) + 31 - Math.clz32(lowest));
      left ^= lowest;
    }
  }
}
