import type { PageDom } from "./page-dom.ts";
import type { PageLines } from "./page-lines.ts";
import type { PageModel } from "./page-model.ts";
import type { PagePills } from "./page-pills.ts";

/** Workloads in the boxes of their namespaces; lines only for the one that the pointer rests on. */
export class PageMap {
  readonly #dom: PageDom;
  readonly #model: PageModel;
  readonly #boxes: HTMLElement;
  readonly #pills: PagePills;
  readonly #lines: PageLines;

  constructor(
    { dom, model }: { readonly dom: PageDom; readonly model: PageModel },
    holder: HTMLElement,
    { pills, lines }: { readonly pills: PagePills; readonly lines: PageLines },
  ) {
    this.#dom = dom;
    this.#model = model;
    this.#pills = pills;
    this.#lines = lines;
    this.#boxes = dom.make("div", "boxes");
    holder.append(this.#boxes);
  }

  draw(): void {
    const { ends } = this.#model.scene;
    this.#pills.clear();
    const groups = new Map<string, number[]>();
    for (const place of [...this.#model.shown].sort((a, b) => a - b)) {
      const group = ends[place]?.namespace ?? "";
      const places = groups.get(group);
      if (places) places.push(place);
      else groups.set(group, [place]);
    }
    const order = [...new Set(ends.map((end) => end.namespace))].filter((name) => groups.has(name));
    this.#boxes.classList.toggle("dense", this.#model.shown.size > 150);
    this.#dom.fill(this.#boxes, ...order.map((name) => this.#box(name, groups.get(name) ?? [])));
    this.light(undefined);
  }

  light(place: number | undefined): void {
    const pairs = this.#pills.light(this.#boxes, place);
    const frame = this.#boxes.getBoundingClientRect();
    const middle = (end: number): readonly [number, number] | undefined => {
      const box = this.#pills.get(end)?.getBoundingClientRect();
      return box && [box.x + box.width / 2 - frame.x, box.y + box.height / 2 - frame.y];
    };
    const far = pairs.filter(({ from, to }) => place !== undefined && this.#isFar(from, to));
    const lines = far.flatMap(({ from, to }) => {
      const [a, b] = [middle(from), middle(to)];
      return a && b ? [{ a, b, style: from === place ? "out" : "in", pair: `${from} ${to}`, label: "" }] : [];
    });
    this.#lines.draw(lines, frame.width, frame.height);
  }

  /** Inside a box the marks say enough. */
  #isFar(from: number, to: number): boolean {
    const { ends } = this.#model.scene;
    return ends[from]?.namespace !== ends[to]?.namespace;
  }

  #box(name: string, places: readonly number[]): HTMLElement {
    const { make } = this.#dom;
    const pills = make("div", "pills", ...places.map((place) => this.#pills.make(place)));
    const box = make("section", "box", make("h2", "", name, make("small", "", `${places.length}`)), pills);
    box.style.setProperty("--hue", `${this.#model.hueOf(name)}`);
    return box;
  }
}
