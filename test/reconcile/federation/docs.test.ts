import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FAILURES } from "../../../src/reconcile/federation/standing.ts";
import { UNWANTED } from "../../../src/reconcile/federation/status.ts";
import { monitoringManifests } from "../../../src/wire/manifests/monitoring.ts";

const PAGE = readFileSync("docs/federation.md", "utf8");
const firstCells = (heading: string): readonly string[] =>
  (PAGE.split(`| ${heading} |`)[1] ?? "")
    .split("\n\n")[0]
    ?.split("\n")
    .slice(2)
    .filter((row) => row.startsWith("|"))
    .map((row) => row.split("|")[1]?.trim() ?? "") ?? [];

test("docs/federation.md says what to do about each reason of the condition Fetched", () => {
  const reasons = firstCells("condition `Fetched`").flatMap((cell) => cell.replaceAll("`", "").split(", "));
  expect(reasons.toSorted()).toEqual([...FAILURES, ...Object.keys(UNWANTED), "Fetched", "NotYet"].toSorted());
});

test("and about each alert that leads to it", () => {
  const [, rule] = monitoringManifests();
  const { groups } = (rule?.["spec"] ?? {}) as { readonly groups: readonly { readonly rules: readonly Alert[] }[] };
  const ours = groups
    .flatMap(({ rules }) => rules)
    .filter(({ annotations }) => annotations.runbook === "docs/federation.md");
  expect(firstCells("alert").toSorted()).toEqual(ours.map(({ alert }) => alert).toSorted());
});

type Alert = { readonly alert: string; readonly annotations: { readonly runbook: string } };
