import { expect, test } from "vitest";
import { METRICS } from "../../../src/http/metrics-table.ts";
import { dashboard } from "../../../src/wire/manifests/dashboard.ts";
import { objectsIn } from "./manifests.ts";

const text = JSON.stringify(dashboard());

test("every metric of Signet's in the dashboard stands in the table of metrics", () => {
  const named = new Set([...text.matchAll(/\bsignet_[a-z_]+/g)].map(([name]) => name.replace(/_bucket$/, "")));
  expect([...named].filter((name) => !Object.hasOwn(METRICS, name))).toEqual([]);
  expect(named.size).toBeGreaterThan(8);
});

test("Grafana's sidecar finds the dashboard by its label, and can read it", () => {
  const [found] = objectsIn("components/monitoring").filter(({ metadata }) => metadata.name === "signet-dashboard");
  expect(found?.metadata.labels).toMatchObject({ grafana_dashboard: "1" });
  const data = found?.["data"] as Readonly<Record<string, string>>;
  expect(JSON.parse(data["signet.json"] ?? "")).toEqual(JSON.parse(text));
});

test("panels lie beside each other and have names and lines of their own", () => {
  const { panels } = dashboard();
  expect(new Set(panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)).size).toBe(panels.length);
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  for (const { targets } of panels) expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
});
