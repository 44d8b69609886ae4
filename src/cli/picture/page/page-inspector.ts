import type { PageDom } from "./page-dom.ts";
import type { PageModel, PagePair } from "./page-model.ts";

/** The column at the side: an overview, or all about one end. */
export class PageInspector {
  readonly #dom: PageDom;
  readonly #model: PageModel;
  readonly #element: HTMLElement;

  constructor(dom: PageDom, model: PageModel, element: HTMLElement) {
    this.#dom = dom;
    this.#model = model;
    this.#element = element;
  }

  /** Whom most others reach, and how much is open altogether. */
  overview(): void {
    const { make } = this.#dom;
    const { pairs } = this.#model;
    const reached = new Map<number, number>();
    for (const { to } of pairs) reached.set(to, (reached.get(to) ?? 0) + 1);
    const most = [...reached].sort((a, b) => b[1] - a[1]).slice(0, 8);
    this.#dom.fill(
      this.#element,
      make("h2", "", "Reached by most"),
      ...most.map(([place, count]) => {
        const row = make("button", "row", this.#name(place), make("b", "", `${count}`));
        row.dataset["end"] = `${place}`;
        return row;
      }),
      make("h2", "", "How to read this"),
      make(
        "p",
        "hint",
        "Rest the pointer on a workload to see whom it reaches and who reaches it. Click to hold it, then rest on another to see which rules decide, at both doors.",
      ),
      make(
        "p",
        "legend",
        make("i", "dot out"),
        "it reaches them",
        make("i", "dot in"),
        "they reach it",
        make("i", "dot both"),
        "both",
      ),
    );
  }

  /** What an end is, whom it reaches and who reaches it. */
  end(place: number): void {
    const { make } = this.#dom;
    const end = this.#model.scene.ends[place];
    if (!end) return;
    const facts = [
      ["labels", end.labels],
      ["ports", end.ports],
      ["defined", end.place],
    ].filter(([, value]) => value);
    const list = make(
      "dl",
      "facts",
      ...facts.flatMap(([key, value]) => [make("dt", "", key ?? ""), make("dd", "", value ?? "")]),
    );
    const pairs = this.#model.pairs;
    this.#dom.fill(
      this.#element,
      make("h2", "subject", ...this.#nameParts(place)),
      list,
      ...this.#peers(
        "Reaches",
        "to",
        pairs.filter(({ from }) => from === place),
      ),
      ...this.#peers(
        "Is reached by",
        "from",
        pairs.filter(({ to }) => to === place),
      ),
    );
  }

  #name(place: number): HTMLElement {
    return this.#dom.make("span", "name", ...this.#nameParts(place));
  }

  /** The name, and under it what and where it is. */
  #nameParts(place: number): readonly (Node | string)[] {
    const end = this.#model.scene.ends[place];
    return [end?.name ?? "", this.#dom.make("small", "", `${end?.kind ?? ""} · ${end?.namespace ?? ""}`)];
  }

  #peers(title: string, side: "from" | "to", pairs: readonly PagePair[]): readonly HTMLElement[] {
    const { make } = this.#dom;
    const heading = make("h2", side === "to" ? "out" : "in", `${title} `, make("b", "", `${pairs.length}`));
    const rows = pairs.slice(0, 200).map((pair) => {
      const row = make(
        "button",
        "row",
        this.#name(pair[side]),
        make("span", "ports", this.#model.sets.text(pair.ports)),
      );
      row.dataset["end"] = `${pair[side]}`;
      row.dataset["pair"] = `${pair.from} ${pair.to}`;
      return row;
    });
    const rest = pairs.length - rows.length;
    return [heading, ...rows, ...(rest > 0 ? [make("p", "more", `and ${rest} more`)] : [])];
  }
}
