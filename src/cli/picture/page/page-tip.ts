import type { PageDom } from "./page-dom.ts";
import type { PageModel, PagePart } from "./page-model.ts";

/** Says why a pair may talk or not: for each set of ports the verdict, and what decides at both doors. */
export class PageTip {
  readonly #mostParts = 5;
  readonly #dom: PageDom;
  readonly #model: PageModel;
  readonly #element: HTMLElement;

  constructor(dom: PageDom, model: PageModel, element: HTMLElement) {
    this.#dom = dom;
    this.#model = model;
    this.#element = element;
  }

  /** Shows the pairs beside the pointer, inside the window. */
  show(pairs: readonly (readonly [from: number, to: number])[], x: number, y: number): void {
    const blocks = pairs.filter(([from, to]) => this.#model.isPair(from, to)).map(([from, to]) => this.block(from, to));
    if (blocks.length === 0) return this.hide();
    this.#dom.fill(this.#element, ...blocks);
    this.#element.hidden = false;
    const { offsetWidth, offsetHeight } = this.#element;
    const left = x + 16 + offsetWidth > innerWidth ? x - offsetWidth - 16 : x + 16;
    const top = Math.min(y + 16, innerHeight - offsetHeight - 8);
    this.#element.style.left = `${Math.max(8, left)}px`;
    this.#element.style.top = `${Math.max(8, top)}px`;
  }

  hide(): void {
    this.#element.hidden = true;
  }

  /** The explanation of one pair. */
  block(from: number, to: number): HTMLElement {
    const { make } = this.#dom;
    const parts = this.#model.parts(from, to);
    const rest = parts.length - this.#mostParts;
    const block = make("section", "pair", this.#heading(from, to));
    block.append(...parts.slice(0, this.#mostParts).map((part) => this.#part(part, from, to)));
    if (rest > 0) block.append(make("p", "more", `and ${rest} more sets of ports`));
    if (parts.length === 0) block.append(make("p", "more", "No Ingress or Route leads there."));
    return block;
  }

  #heading(from: number, to: number): HTMLElement {
    const { make } = this.#dom;
    const [source, destination] = [this.#model.scene.ends[from], this.#model.scene.ends[to]];
    return make("h3", "", source?.text ?? "", make("span", "arrow", " → "), destination?.text ?? "");
  }

  #part(part: PagePart, from: number, to: number): HTMLElement {
    const { make } = this.#dom;
    const [source, destination] = [this.#model.scene.ends[from], this.#model.scene.ends[to]];
    return make(
      "div",
      part.allowed ? "part yes" : "part no",
      make("p", "ports", `${part.allowed ? "✓" : "✕"} ${this.#model.sets.text(part.ports)}`),
      this.#door(`leaving ${source?.name ?? ""}`, part.egress),
      this.#door(`entering ${destination?.name ?? ""}`, part.ingress),
      ...(part.beside === undefined ? [] : [make("p", "beside", part.beside)]),
    );
  }

  #door(title: string, { allowed, lines }: PagePart["egress"]): HTMLElement {
    const { make } = this.#dom;
    return make(
      "div",
      allowed ? "door yes" : "door no",
      make("span", "title", title),
      ...lines.map((line) => make("span", "line", line)),
    );
  }
}
