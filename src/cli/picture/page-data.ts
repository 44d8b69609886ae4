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

/** A row of doors: the index that most other classes have, then pairs of a class and its index. */
export type PageRow = readonly number[];

/** One network. */
export type PageScene = {
  readonly network: string;
  readonly ends: readonly PageEnd[];
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
  readonly reasons: readonly (readonly string[])[];
  readonly scenes: readonly PageScene[];
};
