import type { Listing } from "../policy/analysis/listing.ts";
import { type PicturedEnd, type PicturedScene, pictureOf } from "../policy/analysis/picture.ts";
import type { Slice } from "../policy/evaluate/slices.ts";
import { type Endpoint, isInside } from "../policy/model/endpoint.ts";
import type { Direction } from "../policy/model/policy.ts";
import type { World } from "../policy/model/world.ts";
import { uniteAll } from "../policy/sets/intervals.ts";
import { NO_PORTS, PROTOCOLS, type PortSet } from "../policy/sets/port-set.ts";
import type { PageData, PageEnd, PageRow, PageScene, PageSlice } from "./picture/page-data.ts";
import { renderPage } from "./picture/page-html.ts";
import { networkText } from "./policy-listing-text.ts";
import { doorLines } from "./policy-reasons.ts";

/** A page that needs nothing but a browser: the list as map, matrix and table, with the reasons at hand. */
export function renderListHtml(listing: Listing, world: World): string {
  const folder = commonFolder(world);
  const reasons = new Reasons(folder);
  const narrowed = listing.focus.workloads.length > 0;
  const scenes = listing.sections.map((section) => pageScene(pictureOf(world, section, narrowed), reasons));
  const { conn } = listing.focus;
  const data: PageData = {
    title: "Who may reach whom",
    policies: world.policies.length,
    protocols: PROTOCOLS,
    port: conn ? `${conn.protocol.toLowerCase()}/${conn.port}` : "",
    beside: BESIDE,
    reasons: reasons.all,
    scenes: scenes.filter(({ ends }, index) => index === 0 || ends.length > 0),
  };
  return renderPage(data);
}

const BESIDE =
  "Both doors let it through, but it is not in this list: Signet's own kinds deny it, or the list was narrowed.";

function pageScene(picture: PicturedScene, reasons: Reasons): PageScene {
  const sides = doorSides(picture);
  const doors = picture.doors.map((slices, index) => {
    const direction: Direction = sides.has(index) ? "ingress" : "egress";
    return slices.map((slice) => pageSlice(slice, direction, reasons));
  });
  const sets = new SetTable();
  return {
    network: networkText(picture.scene.network, "Pod network"),
    ends: picture.ends.map((end) => pageEnd(end, reasons.folder)),
    open: picture.open.map((row) => pageRow(row.map((ports) => sets.indexOf(ports)))),
    sets: sets.all,
    doors,
    egress: picture.rows.egress.map(pageRow),
    ingress: picture.rows.ingress.map(pageRow),
  };
}

/** Sets of ports, each once; the first is empty. */
class SetTable {
  readonly all: PortSet[] = [NO_PORTS];
  readonly #known = new Map<string, number>([["", 0]]);

  indexOf(ports: PortSet): number {
    const key = ports.join();
    const found = this.#known.get(key) ?? this.all.push(ports) - 1;
    this.#known.set(key, found);
    return found;
  }
}

/** The doors that let in; a door's rules are all of one direction, and one without rules reads alike in both. */
const doorSides = ({ rows }: PicturedScene): ReadonlySet<number> => new Set(rows.ingress.flat());

const pageSlice = (slice: Slice, direction: Direction, reasons: Reasons): PageSlice => [
  slice.ports,
  slice.allowed ? 1 : 0,
  reasons.indexOf(doorLines(slice, direction)),
];

/** The index that occurs most often first, then only what differs. */
function pageRow(row: readonly number[]): PageRow {
  const counts = new Map<number, number>();
  for (const door of row) counts.set(door, (counts.get(door) ?? 0) + 1);
  const [most] = [...counts].reduce((best, one) => (one[1] > best[1] ? one : best), [0, 0]);
  return [most, ...row.flatMap((door, other) => (door === most ? [] : [other, door]))];
}

const CARDS: Readonly<Record<Endpoint["kind"], { readonly group: string; readonly kind: string }>> = {
  workload: { group: "", kind: "" },
  "ingress-controller": { group: "Ingress and Route", kind: "Ingress" },
  outside: { group: "Outside", kind: "External" },
  imagined: { group: "", kind: "" },
};

function pageEnd({ endpoint, member, ways, ...end }: PicturedEnd, folder: string): PageEnd {
  const { group, kind } = CARDS[endpoint.kind];
  const shown = {
    text: endpoint.text,
    name: endpoint.kind === "workload" ? endpoint.name.name : outsideName(endpoint.text),
    namespace: endpoint.kind === "workload" ? endpoint.name.namespace : outsideGroup(group, end.side),
    kind: endpoint.kind === "workload" ? endpoint.name.kind : kind,
    class: end.class,
    side: end.side,
  };
  if (!isInside(endpoint)) return shown;
  const place = member?.pods[0]?.locate([]);
  return {
    ...shown,
    labels: Object.entries(endpoint.traits.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(" "),
    ports: endpoint.traits.ports
      .map(({ protocol, port, name }) => `${protocol} ${port}${name === undefined ? "" : ` ${name}`}`)
      .join(", "),
    ...(place ? { place: `${place.file.slice(folder.length)}:${place.line}` } : {}),
    ...(ways.length > 0 ? { ways: pageWays(ways) } : {}),
  };
}

const EVERYWHERE = "0.0.0.0-255.255.255.255";

function outsideName(text: string): string {
  const range = text.replace("[External]", "");
  return range === EVERYWHERE ? "any address" : range;
}

const outsideGroup = (group: string, side: PicturedEnd["side"]): string =>
  group === "Outside" ? `${group} (as ${side})` : group;

const pageWays = (ways: PicturedEnd["ways"]): NonNullable<PageEnd["ways"]> => ({
  ports: uniteAll(ways.map(({ ports }) => ports)),
  lines: [
    ...new Set(
      ways.map(
        ({ opening, service }) =>
          `${opening.kind} ${opening.namespace}/${opening.name} leads to it by service ${service}`,
      ),
    ),
  ],
});

/** The folder that all files of the input are in, with a slash at its end: it need not be said each time. */
function commonFolder(world: World): string {
  const folders = [...world.pods, ...world.policies].map(({ locate }) => locate([]).file.replace(/[^/]*$/, ""));
  return folders.reduce((common, folder) => {
    let end = 0;
    while (end < common.length && common[end] === folder[end]) end += 1;
    return common.slice(0, common.lastIndexOf("/", end - 1) + 1);
  }, folders[0] ?? "");
}

/** Texts of reasons, each once, with places below the folder. */
class Reasons {
  readonly folder: string;
  readonly all: (readonly string[])[] = [];
  readonly #known = new Map<string, number>();

  constructor(folder: string) {
    this.folder = folder;
  }

  indexOf(lines: readonly string[]): number {
    const key = lines.join("\n");
    const found = this.#known.get(key) ?? this.all.push(lines.map((line) => this.#short(line))) - 1;
    this.#known.set(key, found);
    return found;
  }

  #short(line: string): string {
    return this.folder === "" ? line : line.replaceAll(`(${this.folder}`, "(");
  }
}
