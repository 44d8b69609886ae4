/**
 * An ECDSA signature as JWS wants it (RFC 7518 §3.4: r and s, each as long as the curve's order) from the DER that
 * node:crypto signs with; to sign in DER and convert is twice as fast as to sign in the JWS form. `size` is the length of r
 * in bytes. Throws where the DER is not a signature of that size.
 */
export function derToConcat(der: Uint8Array, size: number): Buffer {
  const out = Buffer.alloc(2 * size);
  // A sequence of up to 127 bytes has one byte of length; P-521's has two.
  const start = der[1] === 0x81 ? 3 : 2;
  const next = copyInteger(der, start, out, size);
  const end = copyInteger(der, next, out, 2 * size);
  if (der[0] !== 0x30 || end !== der.length) throw new Error("not a DER signature");
  return out;
}

/** Copies the integer at `at` right-aligned to `outEnd`; gives where the next one begins. */
function copyInteger(der: Uint8Array, at: number, out: Buffer, outEnd: number): number {
  const length = der[at + 1] ?? 0;
  let from = at + 2;
  const to = from + length;
  while (from < to && der[from] === 0) from += 1;
  const half = out.length / 2;
  if (der[at] !== 0x02 || to > der.length || to - from > half) throw new Error("not a DER signature");
  out.set(der.subarray(from, to), outEnd - (to - from));
  return to;
}
