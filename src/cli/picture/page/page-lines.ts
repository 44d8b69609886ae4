/** A line to draw: where it begins and ends, its style, what it stands for, and what is written on it. */
export type PageLine = {
  readonly a: readonly [x: number, y: number];
  readonly b: readonly [x: number, y: number];
  readonly style: string;
  readonly pair: string;
  readonly label: string;
};

/** Curves in one SVG under the buttons of a view. */
export class PageLines {
  readonly #svg: SVGSVGElement;

  constructor(holder: Element) {
    this.#svg = this.#make("svg", "lines");
    holder.append(this.#svg);
  }

  draw(lines: readonly PageLine[], width: number, height: number): void {
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#svg.setAttribute("width", `${width}`);
    this.#svg.setAttribute("height", `${height}`);
    const labels = lines.flatMap((line) => (line.label === "" ? [] : [this.#label(line)]));
    this.#svg.replaceChildren(...lines.flatMap((line) => this.#curves(line)), ...labels);
  }

  /** The curve, and a broad one that nobody sees, for the pointer. */
  #curves(line: PageLine): readonly SVGElement[] {
    const [seen, felt] = [this.#make("path", `line ${line.style}`), this.#make("path", "touch")];
    for (const path of [seen, felt]) path.setAttribute("d", this.#course(line));
    felt.dataset["pair"] = line.pair;
    const head = this.#make("path", `head ${line.style}`);
    const [x, y] = line.b;
    const back = this.#isForward(line) ? -1 : 1;
    head.setAttribute("d", `M${x} ${y} l${7 * back} -4 v8 z`);
    return [seen, head, felt];
  }

  #isForward({ a, b }: PageLine): boolean {
    return b[0] >= a[0];
  }

  /** Long lines bow, so that they pass by what stands between their ends. */
  #course(line: PageLine): string {
    const [[x1, y1], [x2, y2]] = [line.a, line.b];
    const bend = Math.max(40, Math.abs(x2 - x1) / 2);
    const way = this.#isForward(line) ? bend : -bend;
    const bow = this.#bowOf(line);
    return `M${x1} ${y1} C${x1 + way} ${y1 + bow} ${x2 - way} ${y2 + bow} ${x2} ${y2}`;
  }

  #bowOf({ a, b }: PageLine): number {
    const length = Math.abs(b[0] - a[0]);
    return length < 200 || Math.abs(b[1] - a[1]) > 60 ? 0 : Math.sign(b[1] - a[1] || a[0] - b[0]) * (30 + length / 12);
  }

  #label(line: PageLine): SVGElement {
    const { a, b, label } = line;
    const text = this.#make("text", "label");
    text.setAttribute("x", `${(a[0] + b[0]) / 2}`);
    text.setAttribute("y", `${(a[1] + b[1]) / 2 + this.#bowOf(line) * 0.75 - 3}`);
    text.textContent = label.length > 28 ? `${label.slice(0, 27)}…` : label;
    return text;
  }

  #make<K extends keyof SVGElementTagNameMap>(tag: K, style: string): SVGElementTagNameMap[K] {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    element.setAttribute("class", style);
    return element;
  }
}
