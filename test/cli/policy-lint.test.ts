import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runPolicy } from "./run-policy.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "signet-lint-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const PODS = `
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{ports: [{containerPort: 80, name: http}]}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}}, spec: {containers: [{ports: [{containerPort: 5432}]}]}}
---
`;
const policy = (name: string, spec: string): string =>
  `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ${name}, namespace: shop}, spec: {${spec}}}\n---\n`;
const admin = (name: string, priority: number, rules: string): string =>
  `{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: ${name}}, spec: {priority: ${priority}, subject: {namespaces: {}}, ingress: [${rules}]}}\n---\n`;
const FROM_WEB = "from: [{podSelector: {matchLabels: {app: web}}}]";
const ON_5432 = "ports: [{port: 5432}]";
const DB = "podSelector: {matchLabels: {app: db}}";
const SANE = policy("db", `${DB}, ingress: [{${FROM_WEB}, ${ON_5432}}]`);
const rule = (name: string, action: string): string => `{name: ${name}, action: ${action}, from: [{namespaces: {}}]}`;

type Found = {
  readonly code: string;
  readonly path: string;
  readonly message: string;
  readonly source: { readonly line: number };
};

function lint(text: string): { readonly code: number; readonly found: readonly Found[] } {
  const file = join(folder, "input.yaml");
  writeFileSync(file, `${PODS}${text}`);
  const ran = runPolicy(["lint", file, "--output", "json"]);
  return { code: ran.code, found: JSON.parse(ran.out) as readonly Found[] };
}

/** One mutation each of a sane policy, and what is said of it. */
const CASES: Readonly<
  Record<string, { readonly text: string; readonly code: string; readonly path: string; readonly says: RegExp }>
> = {
  "a policy that selects nobody is dead, and the likely label is named": {
    text: SANE + policy("dbs", `podSelector: {matchLabels: {app: dbs}}, ingress: [{${FROM_WEB}, ${ON_5432}}]`),
    code: "SELECTOR_DEAD",
    path: "spec.podSelector",
    says: /shop\/dbs: It selects no workload/,
  },
  "a peer that selects nobody is dead": {
    text: policy(
      "db",
      `${DB}, ingress: [{from: [{podSelector: {matchLabels: {app: wep}}}, {podSelector: {matchLabels: {app: web}}}], ${ON_5432}}]`,
    ),
    code: "SELECTOR_DEAD",
    path: "spec.ingress[0].from[0]",
    says: /A peer of ingress rule #1 selects no workload/,
  },
  "a selector that is written but empty is named": {
    text: policy("db", `podSelector: {matchLabels: }, ingress: [{${FROM_WEB}, ${ON_5432}}]`),
    code: "SELECTOR_NULL",
    path: "spec.podSelector.matchLabels",
    says: /selects everything/,
  },
  "a policy that does what another does is a duplicate": {
    text:
      SANE +
      policy("again", `${DB}, policyTypes: [Ingress], ingress: [{${FROM_WEB}, ports: [{port: 5432, protocol: TCP}]}]`),
    code: "POLICY_DUPLICATE",
    path: "",
    says: /shop\/again: It does exactly what NetworkPolicy shop\/db does/,
  },
  "a rule that says the opposite of an earlier one contradicts it": {
    text: admin("first", 1, rule("deny", "Deny")) + admin("second", 2, rule("allow", "Allow")),
    code: "POLICY_CONTRADICTION",
    path: "spec.ingress[0]",
    says: /second: Ingress rule "allow" says the opposite of AdminNetworkPolicy first, ingress rule "deny"/,
  },
  "a NetworkPolicy that allows what an AdminNetworkPolicy denies contradicts it": {
    text: SANE + admin("first", 1, rule("deny", "Deny")),
    code: "POLICY_CONTRADICTION",
    path: "spec.ingress[0]",
    says: /shop\/db: Ingress rule #1 says the opposite/,
  },
  "a rule after one that decides all it means is shadowed": {
    text:
      SANE +
      admin(
        "first",
        1,
        `${rule("wide", "Allow")}, {name: narrow, action: Allow, from: [{namespaces: {}}], ports: [{portNumber: {port: 5432, protocol: TCP}}]}`,
      ),
    code: "POLICY_SHADOWED",
    path: "spec.ingress[1]",
    says: /Ingress rule "narrow" never decides/,
  },
  "a rule that allows nothing more than others is redundant": {
    text: SANE + policy("wide", `${DB}, ingress: [{from: [{podSelector: {}}], ports: [{port: 5000, endPort: 6000}]}]`),
    code: "POLICY_REDUNDANT",
    path: "spec.ingress[0]",
    says: /shop\/db: Ingress rule #1 allows nothing that NetworkPolicy shop\/wide, ingress rule #1/,
  },
  "two policies on one subject could be one": {
    text: SANE + policy("more", `${DB}, ingress: [{${FROM_WEB}, ports: [{port: 8080}]}]`),
    code: "POLICY_CONSOLIDATABLE",
    path: "",
    says: /shop\/db: NetworkPolicy shop\/more selects the same Pods/,
  },
  "two rules that differ in their ports only could be one": {
    text: policy("db", `${DB}, ingress: [{${FROM_WEB}, ${ON_5432}}, {${FROM_WEB}, ports: [{port: 8080}]}]`),
    code: "POLICY_CONSOLIDATABLE",
    path: "spec.ingress[1]",
    says: /Ingress rule #2 has the same peers as ingress rule #1/,
  },
  "rules in a direction that the policy does not cover are irrelevant": {
    text: policy("db", `${DB}, policyTypes: [Ingress], ingress: [{${FROM_WEB}, ${ON_5432}}], egress: [{${ON_5432}}]`),
    code: "POLICY_IRRELEVANT",
    path: "spec.egress",
    says: /policyTypes does not name egress/,
  },
  "a tiered policy without rules is irrelevant": {
    text: SANE + admin("empty", 1, ""),
    code: "POLICY_IRRELEVANT",
    path: "spec",
    says: /empty: It has no rules/,
  },
  "a rule that opens everything to everybody is over-permissive": {
    text: SANE + policy("web", "podSelector: {matchLabels: {app: web}}, ingress: [{}]"),
    code: "POLICY_OVER_PERMISSIVE",
    path: "spec.ingress[0]",
    says: /shop\/web: Ingress rule #1 allows every port from everywhere/,
  },
  "a named port that nobody lists is named": {
    text: policy("db", `${DB}, ingress: [{${FROM_WEB}, ports: [{port: postgres}, {port: 5432}]}]`),
    code: "PORT_NAME_UNMATCHED",
    path: "",
    says: /port name: "postgres" matches no container port of shop\/db\[Pod\]/,
  },
  "a Service that policies let nobody reach is named": {
    text: `${policy("db", DB)}{apiVersion: v1, kind: Service, metadata: {name: db, namespace: shop}, spec: {selector: {app: db}, ports: [{port: 5432}]}}\n`,
    code: "SERVICE_UNREACHABLE",
    path: "",
    says: /Service shop\/db serves shop\/db\[Pod\] on TCP 5432, but policies let nobody in there/,
  },
  "an annotation that nobody reads any more is named": {
    text: `${SANE}{apiVersion: v1, kind: Namespace, metadata: {name: shop, annotations: {net.beta.kubernetes.io/network-policy: "{}"}}}\n`,
    code: "ANNOTATION_DEAD",
    path: "metadata.annotations.net.beta.kubernetes.io/network-policy",
    says: /Namespace shop: No Kubernetes since 1.7/,
  },
};

describe("lint", () => {
  test("finds nothing in a sane policy", () => {
    expect(lint(SANE)).toEqual({ code: 0, found: [] });
  });
  for (const [name, { text, code, path, says }] of Object.entries(CASES))
    test(name, () => {
      const ran = lint(text);
      const found = ran.found.filter((one) => one.code === code && one.path === path);
      expect(ran.code).toBe(3);
      expect(found.map(({ message }) => message)).toEqual([expect.stringMatching(says)]);
      expect(found[0]?.source.line).toBeGreaterThan(1);
    });
  test("names only the later of two equal rules as redundant", () => {
    const ran = lint(
      SANE + policy("twin", `${DB}, ingress: [{${FROM_WEB}, ${ON_5432}}, {${FROM_WEB}, ports: [{port: 1}]}]`),
    );
    expect(
      ran.found.filter(({ code }) => code === "POLICY_REDUNDANT").map(({ message }) => message.split(":", 1)[0]),
    ).toEqual(["NetworkPolicy shop/twin"]);
  });
  test("writes SARIF with a rule for each code and a place for each result", () => {
    const file = join(folder, "input.yaml");
    writeFileSync(file, PODS + policy("web", "podSelector: {}, ingress: [{}]"));
    const log = JSON.parse(runPolicy(["lint", file, "--output", "sarif"]).out) as {
      readonly runs: readonly { readonly results: readonly object[] }[];
    };
    expect(log.runs[0]?.results).toEqual([
      {
        ruleId: "POLICY_OVER_PERMISSIVE",
        ruleIndex: 0,
        level: "warning",
        message: { text: "NetworkPolicy shop/web: Ingress rule #1 allows every port from everywhere." },
        locations: [
          { physicalLocation: { artifactLocation: { uri: file }, region: { startLine: 6, startColumn: 131 } } },
        ],
      },
    ]);
  });
});
