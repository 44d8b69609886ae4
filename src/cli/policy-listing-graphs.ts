import type { Connection } from "../policy/analysis/connectivity.ts";
import type { Listing, Section } from "../policy/analysis/listing.ts";
import type { Endpoint } from "../policy/model/endpoint.ts";
import { portSetText } from "../policy/sets/port-set.ts";
import { networkText } from "./policy-listing-text.ts";

/** A graph in Graphviz's language: workloads in boxes of their namespaces, an edge for each line of the list. */
export function renderListDot(listing: Listing): string {
  const nodes = listing.sections.flatMap(({ scene, connections }, index) => {
    const network = networkText(scene.network, "pod-network");
    return [...groupsOf(connections)].map(([group, ends]) =>
      [
        `  subgraph ${quote(`cluster_${index}_${group}`)} {`,
        `    label=${quote(listing.sections.length > 1 ? `${group} (${network})` : group)};`,
        ...ends.map(
          (end) => `    ${quote(`${index} ${end.text}`)} [label=${quote(shortText(end))} shape=${SHAPES[end.kind]}];`,
        ),
        "  }",
      ].join("\n"),
    );
  });
  const edges = listing.sections.flatMap(({ connections }, index) =>
    connections.map(
      ({ source, destination, ports }) =>
        `  ${quote(`${index} ${source.text}`)} -> ${quote(`${index} ${destination.text}`)} [label=${quote(portSetText(ports))}];`,
    ),
  );
  return ["digraph connectivity {", "  rankdir=LR;", ...nodes, ...edges, "}", ""].join("\n");
}

/** Mermaid draws at most this many edges unless it is told otherwise (its setting `maxEdges`). */
const MERMAID_EDGES = 500;

/** A flowchart in Mermaid's language, which GitHub and GitLab draw: namespaces as boxes, an edge for each line of the list. */
export function renderListMermaid(listing: Listing): string {
  const numbers = new Map<string, string>();
  const numberOf = (text: string): string => {
    const number = numbers.get(text) ?? `n${numbers.size}`;
    numbers.set(text, number);
    return number;
  };
  const parts = listing.sections.flatMap(({ scene, connections }, index) => {
    const network = listing.sections.length > 1 ? ` (${networkText(scene.network, "pod-network")})` : "";
    const groups = [...groupsOf(connections)].map(([group, ends], place) => [
      `  subgraph s${index}_${place}[${mermaid(`${group}${network}`)}]`,
      ...ends.map((end) => `    ${numberOf(`${index} ${end.text}`)}[${mermaid(shortText(end))}]`),
      "  end",
    ]);
    const edges = connections.map(
      ({ source, destination, ports }) =>
        `  ${numberOf(`${index} ${source.text}`)} -->|${mermaid(portSetText(ports))}| ${numberOf(`${index} ${destination.text}`)}`,
    );
    return [...groups.flat(), ...edges];
  });
  const edges = parts.filter((line) => line.includes(" -->|")).length;
  const note =
    edges > MERMAID_EDGES ? [`%% ${edges} edges: set maxEdges, as Mermaid draws ${MERMAID_EDGES} by default`] : [];
  return ["flowchart LR", ...note, ...parts, ""].join("\n");
}

/** A label in quotes; all that Mermaid or HTML would read as more than text is written as an entity. */
const mermaid = (text: string): string =>
  `"${text.replaceAll(/[^\w \-.,/()[\]:]/gu, (letter) => `#${letter.codePointAt(0)};`)}"`;

const SHAPES: Readonly<Record<Endpoint["kind"], string>> = {
  workload: "box",
  "ingress-controller": "hexagon",
  outside: "ellipse",
  imagined: "box",
};

const quote = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

const shortText = (end: Endpoint): string =>
  end.kind === "workload" ? `${end.name.name}[${end.name.kind}]` : end.text;

const groupOf = (end: Endpoint): string =>
  end.kind === "workload" ? end.name.namespace : end.kind === "outside" ? "outside" : "ingress";

/** The ends that occur in connections, by namespace, each once. */
function groupsOf(connections: readonly Connection[]): ReadonlyMap<string, readonly Endpoint[]> {
  const ends = new Map(
    connections.flatMap(({ source, destination }) => [source, destination].map((end) => [end.text, end])),
  );
  const groups = new Map<string, Endpoint[]>();
  for (const end of ends.values()) groups.set(groupOf(end), [...(groups.get(groupOf(end)) ?? []), end]);
  return groups;
}

const CELL = 18;
const LABEL = 380;

/**
 * A picture that needs no tool to look at: for each network a matrix with sources as rows and destinations as columns.
 * Dark: all connections; light: some, named when the pointer rests on the cell.
 */
export function renderListSvg(listing: Listing): string {
  let top = 10;
  const parts: string[] = [];
  let widest = 0;
  for (const section of listing.sections) {
    const { svg, width, height } = matrix(section);
    if (svg === "") continue;
    parts.push(`<g transform="translate(10 ${top})">${svg}</g>`);
    top += height + 30;
    widest = Math.max(widest, width);
  }
  const size = `width="${widest + 20}" height="${top}" viewBox="0 0 ${widest + 20} ${top}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
${parts.join("\n")}
</svg>
`;
}

function matrix({ scene, connections }: Section): { svg: string; width: number; height: number } {
  if (connections.length === 0) return { svg: "", width: 0, height: 0 };
  const rows = [...new Set(connections.map(({ source }) => source.text))];
  const columns = [...new Set(connections.map(({ destination }) => destination.text))].sort();
  const head = 24 + Math.max(...columns.map((text) => text.length)) * 6;
  const at = (text: string, list: readonly string[]): number => list.indexOf(text) * CELL;
  const svg = [
    `<text x="0" y="12" font-weight="bold">${escape(networkText(scene.network, "pod-network"))}</text>`,
    ...rows.map(
      (text) => `<text x="${LABEL - 6}" y="${head + at(text, rows) + 13}" text-anchor="end">${escape(text)}</text>`,
    ),
    ...columns.map((text) => {
      const x = LABEL + at(text, columns) + 13;
      return `<text transform="translate(${x} ${head - 4}) rotate(-90)">${escape(text)}</text>`;
    }),
    ...connections.map(({ source, destination, ports }) => {
      const conn = portSetText(ports);
      const fill = conn === "All Connections" ? "#1f5f8b" : "#8fc1e3";
      const place = `x="${LABEL + at(destination.text, columns)}" y="${head + at(source.text, rows)}"`;
      const title = escape(`${source.text} => ${destination.text} : ${conn}`);
      return `<rect ${place} width="${CELL - 2}" height="${CELL - 2}" fill="${fill}"><title>${title}</title></rect>`;
    }),
  ].join("\n");
  return { svg, width: LABEL + columns.length * CELL, height: head + rows.length * CELL };
}

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
