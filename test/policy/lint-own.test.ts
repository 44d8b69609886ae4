import { expect, test } from "vitest";
import type { WorkloadEnd } from "../../src/domain/flow.ts";
import { compileIntent } from "../../src/policy/intent/intent.ts";
import { lintSentences } from "../../src/policy/lint-own/lint.ts";
import { catalogueOf, NOON } from "../fakes/judging.ts";

const BASE = `
{apiVersion: v1, kind: Namespace, metadata: {name: pay}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: payments}, spec: {environment: prod, namespaces: [pay], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: lab}, spec: {environment: test, intra: allow, namespaces: [lab]}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: db}, spec: {segment: payments, match: {}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: api}, spec: {segment: payments, match: {}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: trial}, spec: {segment: lab, match: {}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: probe}, spec: {segment: lab, match: {}}}
---
`;

const policy = (name: string, lines: string, segment = "payments", namespace = "pay"): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: ${name}, namespace: ${namespace}}, spec: {segment: ${segment}, allow: [${lines}]}}\n---\n`;
const guardrail = (spec: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: Guardrail, metadata: {name: base}, spec: {${spec}}}\n---\n`;
const line = (from: string, to: string, on: string, more = "why: w"): string =>
  `{from: ${from}, to: ${to}, 'on': [${on}], ${more}}`;
const API_DB = line("{role: api}", "{role: db}", "tcp/5432");

const end = (role: string | undefined, more: Partial<WorkloadEnd> = {}): WorkloadEnd => ({
  kind: "workload",
  workloadKind: "Pod",
  object: { kind: "Pod", namespace: "pay", name: role ?? "nobody" },
  namespace: "pay",
  labels: {},
  ports: [{ name: "sql", protocol: "tcp", port: 5432 }],
  inCanary: false,
  ...(role === undefined ? {} : { role, segment: "payments", environment: "prod" }),
  ...more,
});

/** Code, place and words of everything found. */
const found = (yaml: string, ends: readonly WorkloadEnd[] = []): readonly string[] =>
  lintSentences(compileIntent(catalogueOf(BASE + yaml)), ends, NOON).map(
    ({ code, path, message, source }) => `${code} ${source?.line}:${path} ${message}`,
  );

const ROWS: readonly (readonly [string, string, readonly string[]])[] = [
  ["a sane sentence", policy("p", API_DB), []],
  [
    "the same sentence twice",
    policy("p", API_DB) + policy("q", API_DB),
    [
      "SENTENCE_DUPLICATE 18:spec.allow[0] SegmentPolicy pay/q: the same stands in SegmentPolicy pay/p, spec.allow[0] (test.yaml:16).",
    ],
  ],
  [
    "a sentence within a wider one",
    policy("p", `${API_DB}, ${line("{segment: payments}", "{role: db}", "tcp/5000-6000")}`),
    [
      "SENTENCE_REDUNDANT 16:spec.allow[0] SegmentPolicy pay/p: SegmentPolicy pay/p, spec.allow[1] (test.yaml:16) opens all of it already.",
    ],
  ],
  [
    "a wider one that ends sooner, or limits data, contains nothing",
    policy(
      "p",
      `${API_DB}, ${line("{segment: payments}", "{role: db}", "tcp/5000-6000", "why: w, expires: 2027-01-01T00:00:00Z")}`,
    ) + policy("q", line("{segment: payments}", "{role: db}", "tcp/5000-6001", "why: w, data: {protocol: postgres}")),
    [],
  ],
  [
    "a sentence in a segment whose roles talk anyway",
    policy("p", line("{role: probe}", "{role: trial}", "tcp/80"), "lab", "lab"),
    ["SENTENCE_REDUNDANT 16:spec.allow[0] SegmentPolicy lab/p: segment lab lets its roles talk (intra: allow)."],
  ],
  [
    "a denial within another",
    guardrail(
      `deny: [${line("{role: api}", "{role: db}", "tcp/22")}, ${line("{entity: any}", "{environment: prod}", "tcp/1-1024")}]`,
    ),
    [
      "SENTENCE_SHADOWED 16:spec.deny[0] Guardrail base: it never decides: Guardrail base, spec.deny[1] (test.yaml:16) denies all of it.",
    ],
  ],
  [
    "a denial behind a fence",
    guardrail(`fences: [environment], deny: [${line("{segment: lab}", "{role: db}", "tcp/22")}]`),
    [
      "SENTENCE_SHADOWED 16:spec.deny[0] Guardrail base: it never decides: Guardrail base, spec.fences[0] (test.yaml:16) denies all of it.",
    ],
  ],
  [
    "a sentence that a guardrail denies, and one that it denies in part",
    guardrail(`deny: [${line("{entity: any}", "{role: db}", "tcp/5432")}]`) +
      policy("p", `${API_DB}, ${line("{role: trial}", "{role: db}", "tcp/5400-5500")}`),
    [
      "SENTENCE_CONTRADICTED 18:spec.allow[0] SegmentPolicy pay/p: Guardrail base, spec.deny[0] (test.yaml:16) denies all of it.",
      "SENTENCE_CONTRADICTED 18:spec.allow[1] SegmentPolicy pay/p: Guardrail base, spec.deny[0] (test.yaml:16) denies a part of it.",
    ],
  ],
  [
    "a sentence across a fence",
    guardrail("fences: [environment]") + policy("p", line("{role: trial}", "{role: db}", "tcp/5432")),
    [
      "SENTENCE_CONTRADICTED 18:spec.allow[0] SegmentPolicy pay/p: Guardrail base, spec.fences[0] (test.yaml:16) keeps its two ends apart.",
    ],
  ],
  [
    "two sentences that differ in their ports",
    policy("p", `${API_DB}, ${line("{role: api}", "{role: db}", "tcp/9187")}`),
    [
      "SENTENCE_CONSOLIDATABLE 16:spec.allow[1] SegmentPolicy pay/p: it differs from SegmentPolicy pay/p, spec.allow[0] (test.yaml:16) in its ports only.",
    ],
  ],
  [
    "a sentence about somebody else's role",
    policy("p", line("{role: api}", "{role: trial}", "tcp/80")),
    ["SENTENCE_IDLE 16:spec.allow[0] SegmentPolicy pay/p: it has no effect: segment payments does not own role trial."],
  ],
  [
    "a sentence in a namespace of somebody else",
    policy("p", API_DB, "payments", "lab"),
    [
      "SENTENCE_IDLE 16:spec.allow[0] SegmentPolicy lab/p: it has no effect: it stands in a namespace that its segment does not own.",
    ],
  ],
  [
    "a sentence for an identity of our own",
    policy("p", line("{externalIdentity: 'spiffe://cluster.local/ns/pay/sa/api'}", "{role: db}", "tcp/1")),
    [
      "SENTENCE_IDLE 16:spec.allow[0] SegmentPolicy pay/p: it has no effect: spiffe://cluster.local/ns/pay/sa/api is an identity of our own.",
    ],
  ],
  [
    "sentences towards the outside, and to Pods of the platform",
    policy(
      "p",
      `${line("{role: api}", "{fqdn: a.example}", "tcp/443")}, ${line("{role: api}", "{namespace: {name: monitoring}}", "tcp/9090")}`,
    ),
    [],
  ],
  [
    "every port, and everybody",
    policy("p", line("{entity: any}", "{role: db}", "any")),
    [
      "SENTENCE_OVER_PERMISSIVE 16:spec.allow[0] SegmentPolicy pay/p: it opens every port.",
      "SENTENCE_OVER_PERMISSIVE 16:spec.allow[0] SegmentPolicy pay/p: it opens to everybody, the outside included.",
    ],
  ],
  [
    "an ended sentence without a reason",
    policy("p", line("{role: api}", "{role: db}", "tcp/1", "expires: 2026-01-01T00:00:00Z")),
    [
      "SENTENCE_EXPIRED 16:spec.allow[0] SegmentPolicy pay/p: it ended at 2026-01-01T00:00:00Z.",
      "SENTENCE_WHY_MISSING 16:spec.allow[0] SegmentPolicy pay/p: nobody wrote why.",
    ],
  ],
  [
    "a denial by a name",
    guardrail(`deny: [${line("{entity: any}", "{fqdn: evil.example}", "any")}]`),
    ["DENIAL_BY_NAME 16:spec.deny[0] Guardrail base: an outside end whose name is not known is denied too."],
  ],
];

test.each(ROWS)("%s", (_name, yaml, expected) => expect(found(yaml)).toEqual(expected));

test("with workloads at hand, dead roles, labels and port names are found", () => {
  const ends = [end("db"), end(undefined, { labels: { app: "x" } })];
  const lines = [
    API_DB,
    line("{namespace: {name: pay, podLabels: {matchLabels: {app: other}}}}", "{role: db}", "tcp/1"),
    line("{namespace: {name: elsewhere}}", "{role: db}", "tcp/sql"),
    line("{entity: nodes}", "{role: db}", "tcp/http"),
  ];
  expect(found(policy("p", lines.join(", ")), ends)).toEqual([
    "SENTENCE_DEAD 16:spec.allow[0] SegmentPolicy pay/p: no workload of the files is role api.",
    "SENTENCE_DEAD 16:spec.allow[1] SegmentPolicy pay/p: no workload of the files is namespace pay (app In other).",
    'SENTENCE_DEAD 16:spec.allow[3] SegmentPolicy pay/p: no workload that is role db lists a tcp port "http".',
  ]);
});
