import type { PageDom } from "./page-dom.ts";
import type { PageLayers } from "./page-layers.ts";
import type { PageLine, PageLines } from "./page-lines.ts";
import type { PageModel, PagePair } from "./page-model.ts";
import type { PagePills } from "./page-pills.ts";

type LayersOf = (places: readonly number[], pairs: readonly PagePair[]) => PageLayers;

/** What the view works with; handed in, as the classes of the page know each other by type only. */
type Tools = { readonly pills: PagePills; readonly lines: PageLines; readonly layersOf: LayersOf };

type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** Ends in columns, so that most lines lead to the right: who calls stands left of who is called. */
export class PageFlow {
  readonly #model: PageModel;
  readonly #layersOf: LayersOf;
  readonly #holder: HTMLElement;
  readonly #columns: HTMLElement;
  readonly #lines: PageLines;
  readonly #pills: PagePills;

  constructor(
    { dom, model }: { readonly dom: PageDom; readonly model: PageModel },
    holder: HTMLElement,
    { pills, lines, layersOf }: Tools,
  ) {
    this.#model = model;
    this.#holder = holder;
    this.#pills = pills;
    this.#lines = lines;
    this.#layersOf = layersOf;
    this.#columns = dom.make("div", "columns");
    holder.append(this.#columns);
  }

  draw(): void {
    this.#pills.clear();
    const { ends } = this.#model.scene;
    const places = [...this.#model.shown];
    if (places.length > 150) return this.#saySo(places.length);
    const inside = places.filter((place) => ends[place]?.side === "both");
    const isMixed = new Set(inside.map((place) => ends[place]?.namespace)).size > 1;
    const columns = this.#layersOf(places, this.#model.pairs).columns();
    const boxes = columns.map((column) => {
      const box = document.createElement("div");
      box.className = "column";
      box.append(...column.map((place) => this.#pills.make(place, isMixed ? (ends[place]?.namespace ?? "") : "")));
      return box;
    });
    this.#columns.replaceChildren(...boxes);
    this.#fit();
    this.light(undefined);
  }

  #saySo(count: number): void {
    const note = document.createElement("p");
    note.className = "more";
    note.textContent = `${count} ends are too many for columns: narrow the filter, or look at the map or the matrix.`;
    this.#columns.replaceChildren(note);
    this.#lines.draw([], 0, 0);
  }

  /** Writes smaller where the columns are wider than the window, as long as it can be read. */
  #fit(): void {
    this.#columns.style.fontSize = "";
    const ratio = this.#holder.clientWidth / this.#columns.scrollWidth;
    if (ratio < 1) this.#columns.style.fontSize = `${Math.max(11, Math.floor(13 * ratio * 10) / 10)}px`;
  }

  light(place: number | undefined): void {
    const pairs = this.#pills.light(this.#holder, place);
    const frame = this.#columns.getBoundingClientRect();
    const isLabelled = place !== undefined && pairs.length <= 16;
    const boxOf = (end: number): Box | undefined => {
      const box = this.#pills.get(end)?.getBoundingClientRect();
      return box && { x: box.x - frame.x, y: box.y - frame.y, width: box.width, height: box.height };
    };
    const lines = pairs.flatMap((pair): readonly PageLine[] => {
      const [a, b] = [boxOf(pair.from), boxOf(pair.to)];
      if (!a || !b) return [];
      const label = isLabelled ? this.#model.sets.text(pair.ports) : "";
      return [{ ...this.#between(a, b), style: this.#styleOf(pair, place), pair: `${pair.from} ${pair.to}`, label }];
    });
    this.#lines.draw(lines, this.#columns.scrollWidth, this.#columns.scrollHeight);
  }

  /** From the right edge to the left, or back from left to right where the line leads backwards. */
  #between(a: Box, b: Box): Pick<PageLine, "a" | "b"> {
    const isForward = b.x > a.x;
    return {
      a: [isForward ? a.x + a.width : a.x, a.y + a.height / 2],
      b: [isForward ? b.x : b.x + b.width, b.y + b.height / 2],
    };
  }

  #styleOf({ from, to }: PagePair, place: number | undefined): string {
    if (place !== undefined) return from === place ? "out" : "in";
    const isOutside = [from, to].some((end) => this.#model.scene.ends[end]?.kind === "External");
    return isOutside ? "faint" : "";
  }
}
