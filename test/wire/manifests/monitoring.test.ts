import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { METRICS } from "../../../src/http/metrics-table.ts";
import { objectsIn } from "./manifests.ts";

type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

const [found] = objectsIn("components/monitoring").filter(({ kind }) => kind === "PrometheusRule");
const { groups } = (found?.["spec"] ?? {}) as { readonly groups: readonly { name: string; rules: readonly Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

/** Durations and severities as Prometheus and its operator's schema write them. */
const DURATION = /^(0|(\d+(ms|[smhdwy]))+)$/;

test("every alert has the form of the operator's schema, a name of its own, and a runbook that is there", () => {
  expect(groups.map((group) => Object.keys(group).sort())).toEqual([["name", "rules"]]);
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const rule of rules) {
    expect(Object.keys(rule).sort()).toEqual(["alert", "annotations", "expr", "for", "labels"]);
    expect([
      rule.alert,
      DURATION.test(rule.for),
      ["critical", "warning"].includes(rule.labels["severity"] ?? ""),
    ]).toEqual([rule.alert, true, true]);
    expect([rule.alert, existsSync(rule.annotations["runbook"] ?? "none")]).toEqual([rule.alert, true]);
  }
});

test("what alerts ask for is measured, with labels and values that there are, and their brackets close", () => {
  for (const { alert, expr } of rules) {
    for (const [, name = "", matchers = ""] of expr.matchAll(/\b(signet_[a-z_]+)(?:\{([^}]*)\})?/g)) {
      const metric = METRICS[name as keyof typeof METRICS] as { readonly labels: Readonly<Record<string, string>> };
      expect([alert, name, metric !== undefined]).toEqual([alert, name, true]);
      const labels = [...matchers.matchAll(/(\w+)(?:=~?|!=)"([^"]*)"/g)].filter(([, label]) => label !== "namespace");
      for (const [, label = ""] of labels)
        expect([alert, Object.keys(metric.labels)]).toEqual([alert, expect.arrayContaining([label])]);
      for (const [, label = "", values = ""] of labels.filter(([, label]) => label === "stage" || label === "what"))
        for (const value of values.split("|")) expect(`${alert} ${metric.labels[label]}`).toContain(value);
    }
    const bare = expr.replace(/"[^"]*"/g, "");
    for (const [open, close] of ["()", "{}", "[]"])
      expect([alert, bare.split(open ?? "").length]).toEqual([alert, bare.split(close ?? "").length]);
  }
});

test("authorities have alerts of their own, each with the runbook that says what to do", () => {
  const pages = Object.fromEntries(rules.map(({ alert, annotations }) => [alert, annotations["runbook"]]));
  expect(pages).toMatchObject({
    SignetAuthorityEnds: "docs/runbooks/expired-root.md",
    SignetRootEnds: "docs/runbooks/expired-root.md",
    SignetNoAuthority: "docs/runbooks/lost-authority.md",
    SignetChainNeeded: "docs/runbooks/offline-root.md",
    SignetRotationStands: "docs/runbooks/rotation.md",
    SignetIssuesNothing: "docs/runbooks/lost-ledger.md",
    SignetLedgerLosesRecords: "docs/runbooks/lost-ledger.md",
  });
});
