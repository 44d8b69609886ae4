import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPage, type Page } from "./chromium.ts";

const SHOP = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{ports: [{containerPort: 8080}]}]}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: data}
spec: {template: {metadata: {labels: {app: db, tier: gold}}, spec: {containers: [{ports: [{containerPort: 5432, name: sql}]}]}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: ops}
spec: {template: {metadata: {labels: {app: agent}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: only-web, namespace: data}
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress:
  - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}]
    ports: [{port: sql}]
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: no-agents}
spec:
  priority: 1
  subject: {namespaces: {}}
  ingress:
  - {name: agents stay out, action: Deny, from: [{pods: {podSelector: {matchLabels: {app: agent}}}}]}
`;

const folder = mkdtempSync(join(tmpdir(), "signet-page-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The page that the command writes for these manifests, as a file. */
function pageOf(name: string, manifests: string, ...options: readonly string[]): string {
  const [input, output] = [join(folder, `${name}.yaml`), join(folder, `${name}.html`)];
  writeFileSync(input, manifests);
  const args = ["src/bin/cli.ts", "policy", "connectivity", input, "--output", "html", ...options];
  writeFileSync(output, execFileSync(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] }));
  return output;
}

const texts = (page: Page, selector: string): Promise<readonly string[]> =>
  page.evaluate(
    `[...document.querySelectorAll(${JSON.stringify(selector)})].filter((one) => one.offsetParent !== null).map((one) => one.textContent)`,
  );
const names = (page: Page): Promise<readonly string[]> =>
  page.evaluate(`[...document.querySelectorAll("#flow .pill .name")].map((one) => one.firstChild.textContent).sort()`);
const pill = (page: Page, name: string): Promise<string> =>
  page.evaluate(
    `"#flow [data-end='" + [...document.querySelectorAll("#flow .pill")].find((one) => one.querySelector(".name").firstChild.textContent === ${JSON.stringify(name)}).dataset.end + "']"`,
  );

/** Chooses from a list, as a reader would. */
const choose = (page: Page, id: string, value: string): Promise<void> =>
  page.evaluate(
    `{ const field = document.getElementById("${id}"); field.value = "${value}"; field.dispatchEvent(new Event("input")); }`,
  );
const withoutFolder = (text: string): string => text.replaceAll(`${folder}/`, "");

describe("the page of who may reach whom", () => {
  let page: Page;
  beforeAll(async () => {
    page = await openPage(pageOf("shop", SHOP));
  });
  beforeEach(async () => {
    for (const id of ["show-flow", "clear"]) await page.evaluate(`document.getElementById("${id}").click()`);
    await page.moveTo(1, 1);
  });
  afterAll(() => page.close());

  test("shows every workload and the outside, and counts", async () => {
    expect(await names(page)).toEqual(["agent", "any address", "any address", "db", "web"]);
    expect(await texts(page, "#counts")).toEqual(["3/3 workloads · 9/9 pairs · 2 policies"]);
  });

  test("loads nothing but itself, and the browser has nothing to complain of", () => {
    expect({ requests: page.requests, complaints: page.complaints }).toEqual({
      requests: [pathToFileURL(join(folder, "shop.html")).href],
      complaints: [],
    });
  });

  test("search leaves those of the name or label, and whom they stand in a pair with", async () => {
    await page.type("#search", "gold");
    expect(await names(page)).toEqual(["agent", "any address", "db", "web"]);
    expect(await texts(page, "#flow .pill.hit .name")).toEqual(["dbdata 1↓ 3↑"]);
    expect(await texts(page, "#counts")).toEqual(["3/3 workloads · 4/9 pairs · 2 policies"]);
  });

  test("search for what is not there leaves nothing", async () => {
    await page.type("#search", "nobody");
    expect(await names(page)).toEqual([]);
    await page.click("#clear");
    expect(await names(page)).toHaveLength(5);
  });

  test("filters by namespace", async () => {
    await choose(page, "namespace", "ops");
    expect(await texts(page, "#flow .pill.hit .name")).toEqual(["agentops 3↓ 1↑"]);
  });

  test("filters by kind", async () => {
    await choose(page, "kind", "StatefulSet");
    expect(await texts(page, "#flow .pill.hit .name")).toEqual(["dbdata 1↓ 3↑"]);
  });

  test("filters by port, of one protocol or of any", async () => {
    const toDatabase = "shop/web[Deployment]data/db[StatefulSet]TCP 5432";
    await page.click("#show-list");
    const rowsFor = async (port: string): Promise<readonly string[]> => {
      await page.type("#port", port);
      return texts(page, "#list tbody tr");
    };
    const some = await rowsFor("tcp/5432");
    expect(some).toContain(toDatabase);
    expect(await rowsFor("tcp/5433")).toEqual(some.filter((row) => row !== toDatabase));
    expect(await rowsFor("udp/5432")).toEqual(some.filter((row) => row !== toDatabase));
    expect(await rowsFor("5432")).toEqual(some);
  });

  test("resting on a workload says whom it reaches and who reaches it", async () => {
    await page.hover(await pill(page, "db"));
    expect(await texts(page, "#inspector h2")).toEqual(["dbStatefulSet · data", "Reaches 3", "Is reached by 1"]);
    expect(await texts(page, "#inspector dd")).toEqual(["app=db tier=gold", "TCP 5432 sql", "shop.yaml:7"]);
    expect(await texts(page, "#flow .pill.in .name")).toEqual([expect.stringContaining("web")]);
  });

  test("holding one and resting on another says which rules decide, at both doors, both ways", async () => {
    await page.click(await pill(page, "web"));
    await page.hover(await pill(page, "db"));
    expect(await texts(page, "#tip h3")).toEqual([
      "shop/web[Deployment] → data/db[StatefulSet]",
      "data/db[StatefulSet] → shop/web[Deployment]",
    ]);
    expect((await texts(page, "#tip .pair:first-child .part")).map(withoutFolder)).toEqual([
      "✓ TCP 5432leaving weballowed: no policy says anythingentering dballowed by NetworkPolicy data/only-web, ingress rule #1 (shop.yaml:24)",
      "✕ SCTP, TCP 1-5431, 5433-65535, UDPleaving weballowed: no policy says anythingentering dbdenied: NetworkPolicy data/only-web selects it, and ingress rule #1 names the other end, but not this port (shop.yaml:17)",
    ]);
  });

  test("a rule of a tier is named", async () => {
    await page.click(await pill(page, "agent"));
    await page.hover(await pill(page, "web"));
    expect((await texts(page, "#tip .pair:first-child .part")).map(withoutFolder)).toEqual([
      '✕ all portsleaving agentallowed: no policy says anythingentering webdenied by AdminNetworkPolicy no-agents, ingress rule "agents stay out" (shop.yaml:34)',
    ]);
  });

  test("resting on a line says why it is there", async () => {
    await page.click("#show-list");
    await page.hover("#list tbody tr");
    expect(await texts(page, "#tip h3")).toHaveLength(1);
  });

  test("the matrix explains the cell under the pointer", async () => {
    await page.click("#show-matrix");
    const corner = await page.evaluate<{ x: number; y: number }>(
      `(({ x, y }) => ({ x, y }))(document.querySelector("canvas").getBoundingClientRect())`,
    );
    await page.moveTo(corner.x + 190 + 30, corner.y + 190 + 10);
    expect(await texts(page, "#tip h3")).toEqual(["data/db[StatefulSet] → ops/agent[DaemonSet]"]);
  });

  test("is dark or light as the system prefers, and the other way by a button", async () => {
    const paper = () => page.evaluate<string>(`getComputedStyle(document.body).backgroundColor`);
    const light = await paper();
    await page.click("#theme");
    expect(await paper()).not.toBe(light);
    await page.click("#theme");
    expect(await paper()).toBe(light);
  });
});

const HOSTILE = `
apiVersion: v1
kind: Pod
metadata:
  name: "</script><script>window.hacked = 1</script>"
  namespace: "<img src=x onerror='window.hacked = 2'>"
  labels: {app: "\\"><svg onload='window.hacked = 3'>", "<b>": "&lt;"}
---
apiVersion: v1
kind: Pod
metadata: {name: "<!--<script>", namespace: "__proto__", labels: {constructor: x}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: "<iframe srcdoc='<script>window.hacked = 4</script>'>", namespace: "<img src=x onerror='window.hacked = 2'>"}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}]}
`;

describe("names from manifests are hostile", () => {
  test("and do nothing, in no view and in no explanation", async () => {
    const page = await openPage(pageOf("hostile", HOSTILE));
    try {
      await page.evaluate(`document.querySelectorAll("#flow .pill")[0].click()`);
      for (const view of ["flow", "map", "matrix", "list"]) await page.click(`#show-${view}`);
      await page.hover("#list tbody tr");
      const seen = await page.evaluate<object>(
        `({ hacked: window.hacked ?? null, foreign: document.querySelectorAll("img, iframe, svg:not(.lines), b b").length, scripts: document.scripts.length, tip: document.querySelector("#tip h3").textContent })`,
      );
      expect(seen).toEqual({
        hacked: null,
        foreign: 0,
        scripts: 2,
        tip: expect.stringContaining("<script>"),
      });
      expect({ requests: page.requests.length, complaints: page.complaints }).toEqual({ requests: 1, complaints: [] });
    } finally {
      await page.close();
    }
  });

  test("and a script that got in would be stopped by the page's policy", async () => {
    const page = await openPage(pageOf("stopped", SHOP));
    try {
      await page.evaluate(
        `{ const one = document.createElement("script"); one.textContent = "window.hacked = 1"; document.body.append(one); const two = document.createElement("img"); two.src = "x.png"; document.body.append(two); }`,
      );
      expect(await page.evaluate("window.hacked ?? null")).toBe(null);
      expect(page.complaints.join("\n")).toMatch(/script-src[\s\S]*img-src|default-src/);
    } finally {
      await page.close();
    }
  });
});

describe("a page of many workloads", () => {
  const many = Array.from(
    { length: 500 },
    (_, index) =>
      `{apiVersion: v1, kind: Pod, metadata: {name: pod-${index}, namespace: team-${index % 20}, labels: {app: a${index % 50}, id: "${index}"}}}`,
  );
  const policies = Array.from(
    { length: 20 },
    (_, index) =>
      `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: own, namespace: team-${index}}, spec: {podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}}`,
  );

  test("opens with boxes, and answers a search within a second", async () => {
    const page = await openPage(pageOf("many", [...many, ...policies].join("\n---\n")));
    try {
      expect(await texts(page, ".box h2")).toHaveLength(22);
      const took = await page.evaluate<number>(
        `(() => { const start = performance.now(); const field = document.getElementById("search"); field.value = "pod-77"; field.dispatchEvent(new Event("input")); return performance.now() - start; })()`,
      );
      expect(took).toBeLessThan(1000);
      expect(await texts(page, "#map .pill.hit .name")).toEqual(["pod-77"]);
      expect(page.complaints).toEqual([]);
    } finally {
      await page.close();
    }
  });
});
