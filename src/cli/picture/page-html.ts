import { sha256Base64 } from "../../domain/sha256.ts";
import { PageApp } from "./page/page-app.ts";
import { PageDom } from "./page/page-dom.ts";
import { PageFlow } from "./page/page-flow.ts";
import { PageInspector } from "./page/page-inspector.ts";
import { PageLayers } from "./page/page-layers.ts";
import { PageLines } from "./page/page-lines.ts";
import { PageList } from "./page/page-list.ts";
import { PageMap } from "./page/page-map.ts";
import { PageMatrix } from "./page/page-matrix.ts";
import { PageModel } from "./page/page-model.ts";
import { PagePills } from "./page/page-pills.ts";
import { PagePortSets } from "./page/page-port-sets.ts";
import { PageTip } from "./page/page-tip.ts";
import type { PageData } from "./page-data.ts";
import { PAGE_STYLE } from "./page-style.ts";

/** The classes as their own source: each knows the others by type only and is handed what it needs. */
const CLASSES = {
  PageDom,
  PagePortSets,
  PageModel,
  PageTip,
  PageInspector,
  PagePills,
  PageLines,
  PageLayers,
  PageFlow,
  PageMap,
  PageMatrix,
  PageList,
  PageApp,
};

const START = `
const dom = new PageDom();
const data = JSON.parse(dom.get("data", HTMLScriptElement).textContent);
const model = new PageModel(data, new PagePortSets(data.protocols));
const tip = new PageTip(dom, model, dom.get("tip", HTMLElement));
const inspector = new PageInspector(dom, model, dom.get("inspector", HTMLElement));
const handOf = (holder) => ({ pills: new PagePills(dom, model), lines: new PageLines(holder) });
const layersOf = (places, pairs) => new PageLayers(places, pairs);
const [flowHolder, mapHolder] = ["flow", "map"].map((id) => dom.get(id, HTMLElement));
const flow = new PageFlow({ dom, model }, flowHolder, { ...handOf(flowHolder), layersOf });
const map = new PageMap({ dom, model }, mapHolder, handOf(mapHolder));
const matrix = new PageMatrix(dom, model, dom.get("matrix", HTMLElement));
const list = new PageList(dom, model, dom.get("list", HTMLElement));
new PageApp({ dom, model, tip, inspector, flow, map, matrix, list }).start();
`;

const SCRIPT = `"use strict";\n${Object.entries(CLASSES)
  .map(([name, one]) => `const ${name} = ${String(one)};\n`)
  .join("")}${START}`;

/** Nothing is loaded, and nothing runs but this script and this style, known by their hashes (CSP Level 3). */
const POLICY = [
  "default-src 'none'",
  `script-src 'sha256-${sha256Base64(SCRIPT)}'`,
  `style-src 'sha256-${sha256Base64(PAGE_STYLE)}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** The whole page. Data stands in a block that browsers don't run; a `<` in it is written so that it can't end the block. */
export const renderPage = (data: PageData): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(data.title)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>Who may reach whom</h1>
<input id="search" type="search" placeholder="Search name or label ( / )" aria-label="Search by name or label">
<select id="network" aria-label="Network"></select>
<select id="namespace" aria-label="Namespace"></select>
<select id="kind" aria-label="Kind"></select>
<input id="port" placeholder="Port: tcp/443" aria-label="Port">
<button id="clear" type="button">Clear</button>
<span class="views" role="group" aria-label="View">
<button id="show-flow" type="button">Flow</button><button id="show-map" type="button">Map</button><button id="show-matrix" type="button">Matrix</button><button id="show-list" type="button">List</button>
</span>
<button id="theme" type="button" aria-label="Light or dark">◐</button>
</header>
<main id="main">
<div class="stage"><div id="flow"></div><div id="map" hidden></div><div id="matrix" hidden></div><div id="list" hidden></div></div>
<aside><p id="counts" role="status"></p><div id="inspector"></div></aside>
</main>
<div id="tip" role="tooltip" hidden></div>
<noscript>This page needs JavaScript; \`signet policy connectivity --output svg\` gives a picture without.</noscript>
<script type="application/json" id="data">${JSON.stringify(data).replaceAll("<", "\\u003c")}</script>
<script>${SCRIPT}</script>
</body>
</html>
`;

const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
