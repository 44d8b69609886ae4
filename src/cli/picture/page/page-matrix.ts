import type { PageDom } from "./page-dom.ts";
import type { PageModel } from "./page-model.ts";

/** Sources as rows, destinations as columns: dark for all ports, light for some. */
export class PageMatrix {
  readonly #model: PageModel;
  readonly #canvas: HTMLCanvasElement;
  #rows: readonly number[] = [];
  #columns: readonly number[] = [];
  #cell = 12;
  #head = 0;

  constructor(dom: PageDom, model: PageModel, element: HTMLElement) {
    this.#model = model;
    this.#canvas = dom.make("canvas", "");
    element.append(this.#canvas);
  }

  draw(): void {
    const { ends } = this.#model.scene;
    const shown = [...this.#model.shown].sort((a, b) => a - b);
    this.#rows = shown.filter((place) => ends[place]?.side !== "destination");
    this.#columns = shown.filter((place) => ends[place]?.side !== "source");
    const most = Math.max(this.#rows.length, this.#columns.length, 1);
    this.#cell = Math.max(3, Math.min(20, Math.floor(1400 / most)));
    this.#head = this.#cell >= 9 ? 190 : 12;
    const width = this.#head + this.#columns.length * this.#cell + 12;
    const height = this.#head + this.#rows.length * this.#cell + 12;
    const scale = devicePixelRatio;
    this.#canvas.width = width * scale;
    this.#canvas.height = height * scale;
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    const brush = this.#canvas.getContext("2d");
    if (!brush) return;
    brush.scale(scale, scale);
    this.#paint(brush);
  }

  /** The pair under a place of the window. */
  pairAt(x: number, y: number): readonly [from: number, to: number] | undefined {
    const frame = this.#canvas.getBoundingClientRect();
    const column = this.#columns[Math.floor((x - frame.left - this.#head) / this.#cell)];
    const row = this.#rows[Math.floor((y - frame.top - this.#head) / this.#cell)];
    return column === undefined || row === undefined ? undefined : [row, column];
  }

  #paint(brush: CanvasRenderingContext2D): void {
    const style = getComputedStyle(document.documentElement);
    const color = (name: string): string => style.getPropertyValue(name).trim();
    const [rows, columns] = [this.#rows, this.#columns].map(
      (places) => new Map(places.map((place, index) => [place, index])),
    );
    const paint = (from: number, to: number, fill: string): void => {
      const [y, x] = [rows?.get(from), columns?.get(to)];
      if (x === undefined || y === undefined) return;
      const gap = this.#cell >= 6 ? 1 : 0;
      brush.fillStyle = fill;
      brush.fillRect(this.#head + x * this.#cell, this.#head + y * this.#cell, this.#cell - gap, this.#cell - gap);
    };
    const [some, all, self] = [color("--some"), color("--all"), color("--self")];
    brush.fillStyle = color("--cell");
    brush.fillRect(this.#head, this.#head, this.#columns.length * this.#cell, this.#rows.length * this.#cell);
    for (const { from, to, ports } of this.#model.pairs) paint(from, to, this.#model.sets.isWhole(ports) ? all : some);
    for (const place of this.#rows) paint(place, place, self);
    if (this.#cell >= 9) this.#paintNames(brush, color("--text"));
  }

  #paintNames(brush: CanvasRenderingContext2D, color: string): void {
    brush.fillStyle = color;
    brush.font = `${Math.min(12, this.#cell - 1)}px system-ui, sans-serif`;
    const name = (place: number): string => {
      const end = this.#model.scene.ends[place];
      return this.#short(end?.side === "both" ? `${end.namespace}/${end.name}` : (end?.name ?? ""));
    };
    brush.textAlign = "right";
    for (const [y, place] of this.#rows.entries())
      brush.fillText(name(place), this.#head - 6, this.#head + (y + 0.8) * this.#cell);
    brush.textAlign = "left";
    for (const [x, place] of this.#columns.entries()) {
      brush.save();
      brush.translate(this.#head + (x + 0.8) * this.#cell, this.#head - 6);
      brush.rotate(-Math.PI / 2);
      brush.fillText(name(place), 0, 0);
      brush.restore();
    }
  }

  #short(text: string): string {
    return text.length > 30 ? `…${text.slice(-29)}` : text;
  }
}
