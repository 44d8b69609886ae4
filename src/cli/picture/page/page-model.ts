import type { PageData, PageEnd, PagePorts, PageScene } from "../page-data.ts";
import type { PagePortSets } from "./page-port-sets.ts";

/** Ports of a pair that both doors treat alike, with the reason at each. */
export type PagePart = {
  readonly ports: PagePorts;
  readonly allowed: boolean;
  /** Said where both doors allow it and it is denied all the same. */
  readonly beside?: string;
  readonly egress: { readonly allowed: boolean; readonly lines: readonly string[] };
  readonly ingress: { readonly allowed: boolean; readonly lines: readonly string[] };
};

/** What the reader asks for; an empty text asks for nothing. */
export type PageFilter = {
  readonly search: string;
  readonly namespace: string;
  readonly kind: string;
  readonly port: string;
};

/** A pair of ends, by their places in the list of ends. */
export type PagePair = { readonly from: number; readonly to: number; readonly ports: PagePorts };

/** The two ends of a pair, and the doors between them by number. */
type Passage = { readonly source: PageEnd; readonly destination: PageEnd; readonly out: number; readonly into: number };

/** Answers every question that the views ask: who reaches whom, on which ports, why, and what the filter leaves. */
export class PageModel {
  readonly data: PageData;
  readonly sets: PagePortSets;
  scene: PageScene;
  filter: PageFilter;
  /** Places of ends that the filter means, and those that also stand in a shown pair. */
  hits: ReadonlySet<number> = new Set();
  shown: ReadonlySet<number> = new Set();
  pairs: readonly PagePair[] = [];
  /** Every open pair of the network, whatever the filter says. */
  all: readonly PagePair[] = [];
  #rows: { egress: Int32Array[]; ingress: Int32Array[]; open: Int32Array[] } = { egress: [], ingress: [], open: [] };
  #hues: ReadonlyMap<string, number> = new Map();

  constructor(data: PageData, sets: PagePortSets) {
    this.data = data;
    this.sets = sets;
    this.filter = { search: "", namespace: "", kind: "", port: data.port };
    this.scene = data.scenes[0] ?? { network: "", ends: [], sets: [], open: [], doors: [], egress: [], ingress: [] };
    this.setScene(0);
  }

  setScene(index: number): void {
    this.scene = this.data.scenes[index] ?? this.scene;
    const spread = (row: readonly number[], length: number): Int32Array => {
      const wide = new Int32Array(length).fill(row[0] ?? 0);
      for (let at = 1; at < row.length; at += 2) wide[row[at] ?? 0] = row[at + 1] ?? 0;
      return wide;
    };
    const { ends, egress, ingress, open } = this.scene;
    this.#rows = {
      egress: egress.map((row) => spread(row, egress.length)),
      ingress: ingress.map((row) => spread(row, ingress.length)),
      open: open.map((row) => spread(row, ends.length)),
    };
    const namespaces = [...new Set(this.scene.ends.map((end) => end.namespace))];
    this.#hues = new Map(namespaces.map((name, place) => [name, (place * 137.5 + 210) % 360]));
    this.all = this.#openPairs();
    this.setFilter(this.filter);
  }

  setFilter(filter: PageFilter): void {
    this.filter = filter;
    const { ends } = this.scene;
    this.hits = new Set(ends.flatMap((end, place) => (this.#means(end) ? [place] : [])));
    const wanted = this.sets.keysOf(filter.port);
    this.pairs = this.all.filter(
      ({ from, to, ports }) => (this.hits.has(from) || this.hits.has(to)) && this.#hasPort(ports, wanted),
    );
    const inPairs = this.pairs.flatMap(({ from, to }) => [from, to]);
    this.shown = new Set(wanted.length > 0 ? inPairs : [...this.hits, ...inPairs]);
  }

  /** The colour of a namespace, as an angle: neighbours in the list are far apart. */
  hueOf(namespace: string): number {
    return this.#hues.get(namespace) ?? 0;
  }

  /** Whether the two can be the ends of one flow: not one and the same, not both outside, each on its side. */
  isPair(from: number, to: number): boolean {
    const [source, destination] = [this.scene.ends[from], this.scene.ends[to]];
    if (!source || !destination || from === to) return false;
    const isInside = source.side === "both" || destination.side === "both";
    return isInside && source.side !== "destination" && destination.side !== "source";
  }

  /** Every set of ports that the two doors treat alike, the open ones first. */
  parts(from: number, to: number): readonly PagePart[] {
    const passage = this.#passage(from, to);
    if (!passage) return [];
    const [out, into] = [this.scene.doors[passage.out] ?? [], this.scene.doors[passage.into] ?? []];
    const reason = (index: number): readonly string[] => this.data.reasons[index] ?? [];
    const parts = out.flatMap(([left, egress, why]) =>
      into.map(([right, ingress, because]) => ({
        ports: this.sets.both(left, right),
        allowed: egress === 1 && ingress === 1,
        egress: { allowed: egress === 1, lines: reason(why) },
        ingress: { allowed: ingress === 1, lines: reason(because) },
      })),
    );
    const led = passage.source.kind === "Ingress" ? parts.map((part) => this.#led(part, passage.destination)) : parts;
    const open = this.scene.sets[this.#rows.open[from]?.[to] ?? 0] ?? [];
    const limited = led.flatMap((part) => (part.allowed ? this.#limited(part, open) : [part]));
    return limited.filter(({ ports }) => ports.length > 0).sort((a, b) => Number(b.allowed) - Number(a.allowed));
  }

  #passage(from: number, to: number): Passage | undefined {
    const [source, destination] = [this.scene.ends[from], this.scene.ends[to]];
    if (!source || !destination || !this.isPair(from, to)) return undefined;
    const out = this.#rows.egress[source.class]?.[destination.class] ?? 0;
    return { source, destination, out, into: this.#rows.ingress[destination.class]?.[source.class] ?? 0 };
  }

  #openPairs(): readonly PagePair[] {
    return this.#rows.open.flatMap((row, from) =>
      [...row].flatMap((set, to) => (set === 0 ? [] : [{ from, to, ports: this.scene.sets[set] ?? [] }])),
    );
  }

  /** What both doors let through and the list does not: something beside these doors denies it. */
  #limited(part: PagePart, open: PagePorts): readonly PagePart[] {
    return [
      { ...part, ports: this.sets.both(part.ports, open) },
      { ...part, ports: this.sets.without(part.ports, open), allowed: false, beside: this.data.beside },
    ];
  }

  #led(part: PagePart, { ways }: PageEnd): PagePart {
    const ports = this.sets.both(part.ports, ways?.ports ?? []);
    return { ...part, ports, ingress: { ...part.ingress, lines: [...(ways?.lines ?? []), ...part.ingress.lines] } };
  }

  #means(end: PageEnd): boolean {
    const { search, namespace, kind } = this.filter;
    const words = search.toLowerCase().split(/\s+/);
    const text = `${end.text} ${end.labels ?? ""}`.toLowerCase();
    return (
      (namespace === "" || end.namespace === namespace) &&
      (kind === "" || end.kind === kind) &&
      words.every((word) => text.includes(word))
    );
  }

  #hasPort(ports: PagePorts, wanted: readonly number[]): boolean {
    return wanted.length === 0 || wanted.some((key) => this.sets.both(ports, [key, key + 1]).length > 0);
  }
}
