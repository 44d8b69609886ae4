const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
] as const;

/** A span of milliseconds in its two largest units, as kubectl shows ages: `31d4h`, `59m`, `0s`. */
export function spanText(milliseconds: number): string {
  let seconds = Math.floor(Math.abs(milliseconds) / 1000);
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    if (count > 0 || parts.length > 0) parts.push(count === 0 ? "" : `${count}${unit}`);
    if (parts.length === 2) break;
  }
  return parts.join("") || "0s";
}
