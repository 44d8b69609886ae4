import type { PageDom } from "./page-dom.ts";
import type { PageFlow } from "./page-flow.ts";
import type { PageInspector } from "./page-inspector.ts";
import type { PageList } from "./page-list.ts";
import type { PageMap } from "./page-map.ts";
import type { PageMatrix } from "./page-matrix.ts";
import type { PageModel } from "./page-model.ts";
import type { PageTip } from "./page-tip.ts";

/** The parts of the page. */
export type PageParts = {
  readonly dom: PageDom;
  readonly model: PageModel;
  readonly tip: PageTip;
  readonly inspector: PageInspector;
  readonly flow: PageFlow;
  readonly map: PageMap;
  readonly matrix: PageMatrix;
  readonly list: PageList;
};

type ViewName = "flow" | "map" | "matrix" | "list";

/** Leads what the reader does to the parts. */
export class PageApp {
  readonly #parts: PageParts;
  #view: ViewName = "flow";
  #held: number | undefined;

  constructor(parts: PageParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#listenToFilters();
    this.#listenToViews();
    this.#listenToPointer();
    this.#fillChoices();
    // Columns of many ends with many lines are a tangle; boxes are not.
    const { shown, pairs } = this.#parts.model;
    if (shown.size > 60 || pairs.length > 240) this.#view = "map";
    this.#redraw();
  }

  #listenToFilters(): void {
    const { dom } = this.#parts;
    const [search, port] = [dom.get("search", HTMLInputElement), dom.get("port", HTMLInputElement)];
    const [namespace, kind] = [dom.get("namespace", HTMLSelectElement), dom.get("kind", HTMLSelectElement)];
    const network = dom.get("network", HTMLSelectElement);
    port.value = this.#parts.model.filter.port;
    const refilter = (): void => {
      const filter = { search: search.value, namespace: namespace.value, kind: kind.value, port: port.value };
      this.#parts.model.setFilter(filter);
      this.#redraw();
    };
    for (const field of [search, port, namespace, kind]) field.addEventListener("input", refilter);
    network.addEventListener("input", () => {
      this.#parts.model.setScene(Number(network.value));
      for (const field of [namespace, kind]) field.value = "";
      this.#fillChoices();
      refilter();
    });
    dom.get("clear", HTMLButtonElement).addEventListener("click", () => {
      for (const field of [search, port, namespace, kind]) field.value = "";
      refilter();
    });
  }

  #listenToViews(): void {
    const { dom } = this.#parts;
    for (const view of ["flow", "map", "matrix", "list"] as const)
      dom.get(`show-${view}`, HTMLButtonElement).addEventListener("click", () => {
        this.#view = view;
        this.#redraw();
      });
    dom.get("theme", HTMLButtonElement).addEventListener("click", () => {
      const root = document.documentElement;
      const isDark = root.dataset["theme"]
        ? root.dataset["theme"] === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset["theme"] = isDark ? "light" : "dark";
      this.#redraw();
    });
    addEventListener("resize", () => this.#redraw());
    addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#hold(undefined);
      if (event.key !== "/" || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      dom.get("search", HTMLInputElement).focus();
    });
  }

  #listenToPointer(): void {
    const { dom, tip } = this.#parts;
    const main = dom.get("main", HTMLElement);
    main.addEventListener("pointermove", (event) => this.#point(event));
    main.addEventListener("pointerleave", () => tip.hide());
    main.addEventListener("focusin", (event) => this.#light(dom.placeOf(event.target)));
    main.addEventListener("click", (event) => {
      const place = dom.placeOf(event.target);
      this.#hold(place === this.#held ? undefined : place);
    });
  }

  /** Rests on a pair: says why. Rests on an end: lights it up, or explains it with the one that is held. */
  #point(event: PointerEvent): void {
    const { dom, tip } = this.#parts;
    const place = dom.placeOf(event.target);
    const pairs = this.#pairsAt(event, place);
    if (pairs.length > 0) return tip.show(pairs, event.clientX, event.clientY);
    tip.hide();
    if (this.#held === undefined) this.#light(place);
  }

  #pairsAt(
    { target, clientX, clientY }: PointerEvent,
    place: number | undefined,
  ): readonly (readonly [number, number])[] {
    const written = this.#parts.dom.pairOf(target);
    if (written) return [written];
    const cell = target instanceof HTMLCanvasElement ? this.#parts.matrix.pairAt(clientX, clientY) : undefined;
    if (cell) return [cell];
    const held = this.#held;
    if (place === undefined || held === undefined || place === held) return [];
    return [
      [held, place],
      [place, held],
    ];
  }

  #lit: number | undefined;

  #light(place: number | undefined): void {
    if (this.#held !== undefined || place === this.#lit) return;
    this.#lit = place;
    this.#lightView(place);
    if (place !== undefined) this.#parts.inspector.end(place);
  }

  #hold(place: number | undefined): void {
    const { inspector, tip } = this.#parts;
    this.#held = place;
    this.#lit = place;
    document.body.classList.toggle("held", place !== undefined);
    tip.hide();
    this.#lightView(place);
    if (place === undefined) inspector.overview();
    else inspector.end(place);
  }

  #lightView(place: number | undefined): void {
    if (this.#view === "flow") this.#parts.flow.light(place);
    if (this.#view === "map") this.#parts.map.light(place);
  }

  #redraw(): void {
    const { dom, model, flow, map, matrix, list } = this.#parts;
    for (const view of ["flow", "map", "matrix", "list"] as const) {
      dom.get(view, HTMLElement).hidden = view !== this.#view;
      dom.get(`show-${view}`, HTMLButtonElement).setAttribute("aria-pressed", `${view === this.#view}`);
    }
    ({ flow, map, matrix, list })[this.#view].draw();
    this.#hold(undefined);
    const workloads = model.scene.ends.flatMap(({ side }, place) => (side === "both" ? [place] : []));
    const shown = workloads.filter((place) => model.shown.has(place)).length;
    const counts = `${shown}/${workloads.length} workloads · ${model.pairs.length}/${model.all.length} pairs · ${model.data.policies} policies`;
    dom.get("counts", HTMLElement).textContent = counts;
  }

  #fillChoices(): void {
    const { dom, model } = this.#parts;
    const choices = (id: string, all: string, values: readonly string[]): void => {
      const options = ["", ...new Set(values)].map((value) => {
        const option = dom.make("option", "", value === "" ? all : value);
        option.value = value;
        return option;
      });
      dom.fill(dom.get(id, HTMLSelectElement), ...options);
    };
    const { ends } = model.scene;
    choices(
      "namespace",
      "all namespaces",
      ends.map((end) => end.namespace),
    );
    choices(
      "kind",
      "all kinds",
      ends.map((end) => end.kind),
    );
    const network = dom.get("network", HTMLSelectElement);
    network.hidden = model.data.scenes.length < 2;
    if (network.options.length > 0) return;
    for (const [index, scene] of model.data.scenes.entries()) {
      const option = dom.make("option", "", scene.network);
      option.value = `${index}`;
      network.append(option);
    }
  }
}
