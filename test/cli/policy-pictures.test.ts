import { beforeEach, describe, expect, test } from "vitest";
import { PageLayers } from "../../src/cli/picture/page/page-layers.ts";
import { PageModel } from "../../src/cli/picture/page/page-model.ts";
import { PagePortSets } from "../../src/cli/picture/page/page-port-sets.ts";
import type { PageData, PagePorts } from "../../src/cli/picture/page-data.ts";
import { sha256Base64 } from "../../src/domain/sha256.ts";
import { argumentsOf, INDEX, manifests, optionsText } from "../conformance/netpol-analyzer-data.ts";
import { folderWith } from "./folder.ts";
import { runPolicy } from "./run-policy.ts";

const pod = (name: string): string =>
  `{apiVersion: v1, kind: Pod, metadata: {name: ${JSON.stringify(name)}, namespace: shop}}`;
const page = (input: string, ...options: readonly string[]): string =>
  runPolicy(["connectivity", input, ...options, "--output", "html"]).out;
const between = (text: string, start: string, end: string): string => text.split(start, 2)[1]?.split(end, 1)[0] ?? "";
const dataOf = (html: string): PageData =>
  JSON.parse(between(html, '<script type="application/json" id="data">', "</script>")) as PageData;

type Row = { readonly network?: string; readonly src: string; readonly dst: string; readonly conn: string };

/** The list in the page's words. */
const inWords = ({ network, src, dst, conn }: Row): string =>
  `${network ?? ""} ${src} ${dst} ${conn.replaceAll(" 1-65535", "")}`.replace("All Connections", "all ports");

function pairsOf(data: PageData): readonly string[] {
  const model = new PageModel(data, new PagePortSets(data.protocols));
  const isOne = data.scenes.length === 1;
  return data.scenes.flatMap((scene, index) => {
    model.setScene(index);
    const network = isOne ? "" : scene.network.replace("Pod network", "pod-network");
    const text = (end: number): string => scene.ends[end]?.text ?? "";
    return model.pairs.map(
      ({ from, to, ports }) => `${network} ${text(from)} ${text(to)} ${model.sets.text(ports).replaceAll(", ", ",")}`,
    );
  });
}

const EVERYTHING: PagePorts = [0, 200_000];

/** Pairs whose reasons do not add up to what the list says is open. */
function unexplained(data: PageData): readonly string[] {
  const model = new PageModel(data, new PagePortSets(data.protocols));
  return data.scenes.flatMap((scene, index) => {
    model.setScene(index);
    const open = new Map(model.pairs.map(({ from, to, ports }) => [`${from} ${to}`, model.sets.text(ports)]));
    return scene.ends.flatMap((source, from) =>
      scene.ends.flatMap((destination, to) => {
        if (!model.isPair(from, to)) return [];
        const allowed = model.parts(from, to).filter((part) => part.allowed);
        const closed = allowed.reduce<PagePorts>((left, part) => model.sets.without(left, part.ports), EVERYTHING);
        const joined = model.sets.without(EVERYTHING, closed);
        const said = open.get(`${from} ${to}`) ?? "nothing";
        return model.sets.text(joined) === said ? [] : [`${source.text} ${destination.text}: ${said}`];
      }),
    );
  });
}

const CASES = INDEX.cases.filter(
  ({ mode, options, dir }) =>
    mode === "connlist" && !options.focusWorkloads && !options.focusConn && !dir.startsWith("ipblock"),
);

describe("the page shows the pairs of the list, and its reasons add up to them", () => {
  for (const { dir, options } of CASES)
    test(`${dir} ${optionsText(options)}`, () => {
      const given = argumentsOf(options);
      const rows = JSON.parse(
        runPolicy(["connectivity", manifests(dir), ...given, "--output", "json"]).out,
      ) as readonly Row[];
      const data = dataOf(page(manifests(dir), ...given));
      expect([...pairsOf(data)].sort()).toEqual(rows.map(inWords).sort());
      expect(unexplained(data)).toEqual([]);
    });
});

describe("the page", () => {
  let html = "";
  beforeEach(() => {
    html = page(folderWith([pod("web"), pod("db")].join("\n---\n")));
  });

  test("runs its own script and style only, known by their hashes", () => {
    const script = between(html, "</script>\n<script>", "</script>");
    const style = between(html, "<style>", "</style>");
    expect(html).toContain(
      `content="default-src 'none'; script-src 'sha256-${sha256Base64(script)}'; style-src 'sha256-${sha256Base64(style)}'; base-uri 'none'; form-action 'none'"`,
    );
  });
  test("names no address to load anything from", () => {
    expect(html.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:\/\/|src=|href=|@import|url\(/);
  });
  test("keeps a name from ending its block of data", () => {
    const hostile = page(folderWith(pod("</script><script>alert(1)</script>")));
    expect(hostile.match(/<\/script>/g)).toHaveLength(2);
    expect(dataOf(hostile).scenes[0]?.ends[0]?.name).toBe("</script><script>alert(1)</script>");
  });
  test("says of what its list leaves out that something beside the doors denies it", () => {
    const input = folderWith([pod("web"), pod("db")].join("\n---\n"));
    const data = dataOf(page(input, "--focus-workload", "db", "--focus-direction", "egress"));
    const model = new PageModel(data, new PagePortSets(data.protocols));
    const placeOf = (name: string): number => data.scenes[0]?.ends.findIndex((end) => end.name === name) ?? -1;
    const shown = (from: string, to: string) =>
      model.parts(placeOf(from), placeOf(to)).map(({ allowed, beside }) => ({ allowed, beside }));
    expect([shown("db", "web"), shown("web", "db")]).toEqual([
      [{ allowed: true, beside: undefined }],
      [{ allowed: false, beside: expect.stringContaining("Signet's own kinds deny it, or the list was narrowed") }],
    ]);
  });
  test("begins with what was asked for", () => {
    const closed =
      "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: none, namespace: shop}, spec: {podSelector: {matchLabels: {app: closed}}, policyTypes: [Ingress, Egress]}}";
    const alone = pod("closed").replace("namespace: shop", "namespace: shop, labels: {app: closed}");
    const input = folderWith([pod("web"), pod("db"), alone, closed].join("\n---\n"));
    const focused = dataOf(page(input, "--focus-workload", "db", "--focus-conn", "tcp-443"));
    expect({ port: focused.port, ends: focused.scenes[0]?.ends.map(({ name }) => name) }).toEqual({
      port: "tcp/443",
      ends: ["db", "web", "any address", "any address"],
    });
  });
});

describe("the columns of the flow", () => {
  const columns = (...edges: readonly (readonly [number, number])[]) =>
    new PageLayers(
      [...new Set(edges.flat())].sort((a, b) => a - b),
      edges.map(([from, to]) => ({ from, to })),
    ).columns();
  test("follow a chain", () => expect(columns([0, 1], [1, 2], [0, 2])).toEqual([[0], [1], [2]]));
  test("take a way back for a way back", () =>
    expect(columns([0, 1], [1, 2], [2, 1], [0, 2])).toEqual([[0], [1], [2]]));
  test("put those of one depth into one column, uncrossed", () => {
    expect(columns([0, 3], [1, 2], [2, 4], [3, 5])).toEqual([
      [0, 1],
      [3, 2],
      [5, 4],
    ]);
  });
  test("hold everybody, even in a circle", () => expect(columns([0, 1], [1, 2], [2, 0]).flat()).toHaveLength(3));
});

describe("a flowchart for Mermaid", () => {
  const chart = (...names: readonly string[]): string =>
    runPolicy(["connectivity", folderWith(names.map(pod).join("\n---\n")), "--output", "mermaid"]).out;

  test("has a box for each namespace and an edge for each line", () => {
    expect(chart("web")).toBe(
      [
        "flowchart LR",
        '  subgraph s0_0["outside"]',
        '    n0["0.0.0.0-255.255.255.255[External]"]',
        "  end",
        '  subgraph s0_1["shop"]',
        '    n1["web[Pod]"]',
        "  end",
        '  n0 -->|"All Connections"| n1',
        '  n1 -->|"All Connections"| n0',
        "",
      ].join("\n"),
    );
  });
  test("writes what Mermaid would read as more than text as entities", () => {
    expect(chart('a"]; click n0 "javascript:alert(1)" <b>')).toContain(
      '["a#34;]#59; click n0 #34;javascript:alert(1)#34; #60;b#62;[Pod]"]',
    );
  });
  test("says so where there are more edges than Mermaid draws by default", () => {
    const names = Array.from({ length: 25 }, (_, index) => `pod-${index}`);
    expect(chart(...names).split("\n")[1]).toBe("%% 650 edges: set maxEdges, as Mermaid draws 500 by default");
  });
});
