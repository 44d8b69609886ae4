import type { PagePorts } from "../page-data.ts";

/** Unions, intersections and texts of sets of ports. */
export class PagePortSets {
  readonly #protocols: readonly string[];

  constructor(protocols: readonly string[]) {
    this.#protocols = protocols;
  }

  both(a: PagePorts, b: PagePorts): PagePorts {
    return this.#combine(a, b, (inA, inB) => inA && inB);
  }

  without(a: PagePorts, b: PagePorts): PagePorts {
    return this.#combine(a, b, (inA, inB) => inA && !inB);
  }

  /** Whether every port of every protocol is in it. */
  isWhole(ports: PagePorts): boolean {
    const size = ports.reduce((sum, bound, at) => (at % 2 === 0 ? sum - bound : sum + bound), 0);
    return size === this.#protocols.length * 65535;
  }

  /** `TCP 80, 8000-8080, UDP`, or `all ports`. */
  text(ports: PagePorts): string {
    if (ports.length === 0) return "nothing";
    if (this.isWhole(ports)) return "all ports";
    return this.#protocols
      .map((protocol, index) => this.#protocolText(protocol, this.#ranges(ports, index * 65536)))
      .filter((text) => text !== "")
      .join(", ");
  }

  /** The keys of a port written as `tcp/80`, or as `80` for that of every protocol; none where it is no port. */
  keysOf(written: string): readonly number[] {
    const [, word, digits] = /^\s*(?:([a-z]+)\s*[-/ ]\s*)?(\d{1,5})\s*$/i.exec(written) ?? [];
    if (digits === undefined) return [];
    return this.#protocols.flatMap((protocol, index) =>
      word === undefined || protocol === word.toUpperCase() ? [index * 65536 + Number(digits)] : [],
    );
  }

  #protocolText(protocol: string, ranges: readonly string[]): string {
    if (ranges.length === 0) return "";
    return ranges[0] === "1-65535" ? protocol : `${protocol} ${ranges.join(", ")}`;
  }

  #ranges(ports: PagePorts, base: number): readonly string[] {
    const ranges: string[] = [];
    for (let at = 0; at + 1 < ports.length; at += 2) {
      const [first, last] = [(ports[at] ?? 0) - base, (ports[at + 1] ?? 0) - 1 - base];
      if (first >= 0 && first <= 65535) ranges.push(first === last ? `${first}` : `${first}-${last}`);
    }
    return ranges;
  }

  /** Walks all bounds in order; an odd count of bounds passed means being inside. */
  #combine(a: PagePorts, b: PagePorts, keep: (inA: boolean, inB: boolean) => boolean): PagePorts {
    const out: number[] = [];
    let [i, j, inside] = [0, 0, false];
    while (i < a.length || j < b.length) {
      const bound = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
      if (a[i] === bound) i++;
      if (b[j] === bound) j++;
      const now = keep(i % 2 === 1, j % 2 === 1);
      if (now !== inside) out.push(bound);
      inside = now;
    }
    return out;
  }
}
