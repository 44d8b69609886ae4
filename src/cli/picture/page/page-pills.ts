import type { PageDom } from "./page-dom.ts";
import type { PageModel, PagePair } from "./page-model.ts";

/** The ends of one view as buttons, and what the pointer marks among them. */
export class PagePills {
  readonly #dom: PageDom;
  readonly #model: PageModel;
  readonly #all = new Map<number, HTMLElement>();
  readonly #nobody = { name: "", kind: "", namespace: "", text: "" };
  #counts: ReadonlyMap<string, number> = new Map();

  constructor(dom: PageDom, model: PageModel) {
    this.#dom = dom;
    this.#model = model;
  }

  /** Forgets the buttons of an earlier drawing. */
  clear(): void {
    this.#all.clear();
    const counts = new Map<string, number>();
    for (const { from, to } of this.#model.pairs)
      for (const key of [`out ${from}`, `in ${to}`]) counts.set(key, (counts.get(key) ?? 0) + 1);
    this.#counts = counts;
  }

  get(place: number): HTMLElement | undefined {
    return this.#all.get(place);
  }

  /** A button for an end, coloured as its namespace; counts stand beside the name, or with a word under it. */
  make(place: number, under?: string): HTMLElement {
    const { make } = this.#dom;
    const { name, kind, namespace, text } = this.#model.scene.ends[place] ?? this.#nobody;
    const [into, out] = [this.#counts.get(`in ${place}`) ?? 0, this.#counts.get(`out ${place}`) ?? 0];
    const count = [into > 0 ? `${into}↓` : "", out > 0 ? `${out}↑` : ""].join(" ").trim();
    const beside = under === undefined ? [make("span", "count", count)] : [];
    const below = under === undefined ? [] : [make("small", "", `${under} ${count}`.trim())];
    const style = `pill ${this.#model.hits.has(place) ? "hit" : "beside"}`;
    const pill = make(
      "button",
      style,
      make("span", "badge", this.#badge(kind)),
      make("span", "name", name, ...below),
      ...beside,
    );
    pill.dataset["end"] = `${place}`;
    pill.style.setProperty("--hue", `${this.#model.hueOf(namespace)}`);
    pill.setAttribute("aria-label", `${text}, reached by ${into}, reaches ${out}`);
    this.#all.set(place, pill);
    return pill;
  }

  /** Marks whom an end reaches and who reaches it; gives the pairs to draw lines for. */
  light(holder: Element, place: number | undefined): readonly PagePair[] {
    holder.classList.toggle("lit", place !== undefined);
    const pairs = this.#model.pairs.filter(({ from, to }) => place === undefined || from === place || to === place);
    const own = place === undefined ? [] : pairs;
    const out = new Set(own.flatMap(({ from, to }) => (from === place ? [to] : [])));
    const into = new Set(own.flatMap(({ from, to }) => (to === place ? [from] : [])));
    for (const [end, pill] of this.#all) {
      pill.classList.toggle("self", end === place);
      pill.classList.toggle("out", out.has(end));
      pill.classList.toggle("in", into.has(end));
    }
    return pairs;
  }

  /** The capitals of a kind: `DS` for DaemonSet. */
  #badge(kind: string): string {
    const capitals = kind.replace(/[^A-Z]/g, "");
    return capitals === "" ? kind.slice(0, 1) : capitals;
  }
}
