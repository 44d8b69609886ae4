/** A set of ports as the page holds it: bounds of half-open intervals of `protocol × 65536 + port`. */
export type PagePorts = readonly number[];

/** One end: name, namespace, kind, class, labels, listed ports, where it is defined, on which side it can stand. */
export type PageEnd = {
  readonly text: string;
  readonly name: string;
  readonly namespace: string;
  readonly kind: string;
  readonly class: number;
  readonly side: "both" | "source" | "destination";
  readonly labels?: string;
  readonly ports?: string;
  readonly place?: string;
  /** Ports that Ingress and Route objects lead to, and which do. */
  readonly ways?: { readonly ports: PagePorts; readonly lines: readonly string[] };
};

/** Ports that a door treats alike: the ports, 1 for allowed, and the index of the reason. */
export type PageSlice = readonly [ports: PagePorts, allowed: 0 | 1, reason: number];

/** A row of indexes: the one that most columns have, then pairs of a column and its own. */
export type PageRow = readonly number[];

/** One network. */
export type PageScene = {
  readonly network: string;
  readonly ends: readonly PageEnd[];
  /** The sets of ports that are open somewhere; the first is empty. */
  readonly sets: readonly PagePorts[];
  /** What is open from each end to each, as indexes into `sets`. */
  readonly open: readonly PageRow[];
  /** By class: whose doors they are, and of the other end. */
  readonly doors: readonly (readonly PageSlice[])[];
  readonly egress: readonly PageRow[];
  readonly ingress: readonly PageRow[];
};

/** Everything that the page shows. */
export type PageData = {
  readonly title: string;
  readonly policies: number;
  readonly protocols: readonly string[];
  readonly port: string;
  /** Said of ports that both doors let through and that the list leaves out. */
  readonly beside: string;
  readonly reasons: readonly (readonly string[])[];
  readonly scenes: readonly PageScene[];
};
