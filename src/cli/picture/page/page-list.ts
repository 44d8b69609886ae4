import type { PageDom } from "./page-dom.ts";
import type { PageModel } from "./page-model.ts";

/** The pairs as a table, the first thousand of them. */
export class PageList {
  readonly #dom: PageDom;
  readonly #model: PageModel;
  readonly #element: HTMLElement;

  constructor(dom: PageDom, model: PageModel, element: HTMLElement) {
    this.#dom = dom;
    this.#model = model;
    this.#element = element;
  }

  draw(): void {
    const { make } = this.#dom;
    const { pairs, scene } = this.#model;
    const rows = pairs.slice(0, 1000).map(({ from, to, ports }) => {
      const row = make(
        "tr",
        "",
        make("td", "", scene.ends[from]?.text ?? ""),
        make("td", "", scene.ends[to]?.text ?? ""),
        make("td", "ports", this.#model.sets.text(ports)),
      );
      row.dataset["pair"] = `${from} ${to}`;
      return row;
    });
    const head = make("thead", "", make("tr", "", ...["From", "To", "Ports"].map((title) => make("th", "", title))));
    const rest = pairs.length - rows.length;
    this.#dom.fill(
      this.#element,
      make("table", "", head, make("tbody", "", ...rows)),
      ...(rest > 0 ? [make("p", "more", `and ${rest} more: narrow the filter to see them.`)] : []),
    );
  }
}
