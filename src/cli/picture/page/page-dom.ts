/** Makes elements; every text becomes a text node, so that no name of a manifest is ever read as HTML. */
export class PageDom {
  readonly make = <K extends keyof HTMLElementTagNameMap>(
    tag: K,
    style: string,
    ...inside: readonly (Node | string)[]
  ): HTMLElementTagNameMap[K] => {
    const element = document.createElement(tag);
    if (style !== "") element.className = style;
    element.append(...inside);
    return element;
  };

  /** An element of the page by its id. */
  get<T extends HTMLElement>(id: string, kind: new () => T): T {
    const found = document.getElementById(id);
    if (found instanceof kind) return found;
    throw new Error(`The page has no ${id}.`);
  }

  /** Replaces what an element holds. */
  fill(element: Element, ...inside: readonly (Node | string)[]): void {
    element.replaceChildren(...inside);
  }

  /** The pair that an element, or one around it, stands for. */
  pairOf(target: EventTarget | null): readonly [from: number, to: number] | undefined {
    const holder = target instanceof Element ? target.closest<HTMLElement | SVGElement>("[data-pair]") : null;
    const [from, to] = holder?.dataset["pair"]?.split(" ").map(Number) ?? [];
    return from === undefined || to === undefined ? undefined : [from, to];
  }

  /** The place of the end that an element, or one around it, stands for. */
  placeOf(target: EventTarget | null): number | undefined {
    const holder = target instanceof Element ? target.closest<HTMLElement | SVGElement>("[data-end]") : null;
    const text = holder?.dataset["end"];
    return text === undefined ? undefined : Number(text);
  }
}
