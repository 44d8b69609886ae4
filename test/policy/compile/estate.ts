import type { Catalogue } from "../../../src/domain/catalogue.ts";
import type { WorkloadEnd } from "../../../src/domain/flow.ts";
import { flowEndOf } from "../../../src/identity/flow-end.ts";
import type { EffectiveEnd } from "../../../src/policy/effective/end.ts";
import { readWorkload } from "../../../src/wire/workloads.ts";
import { catalogueOf, must, objectsOf } from "../../fakes/judging.ts";
import { memberOf } from "./random-site.ts";

const segment = (name: string, spec: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: ${name}}, spec: {policyApproval: none, ${spec}}}`;
const role = (name: string, of: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: ${name}}, spec: {segment: ${of}, match: {serviceAccounts: [${name}]}}}`;
const namespace = (name: string, enrolled: boolean): string =>
  `{apiVersion: v1, kind: Namespace, metadata: {name: ${name}, labels: {signet.dev/enrol: "${enrolled}"}}}`;
const policy = (where: string, of: string, lines: readonly string[]): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: p, namespace: ${where}}, spec: {segment: ${of}, allow: [${lines.join(", ")}]}}`;

/** The parts of a small estate: two segments in force and one that is watched, with every sort of line between them. */
export const PARTS = {
  namespaces: [namespace("pay", true), namespace("shop", true), namespace("lab", false)],
  segments: [
    segment("payments", "environment: prod, classification: pci, namespaces: [pay], mode: enforce"),
    segment("shop", "environment: prod, namespaces: [shop], mode: enforce"),
    segment("lab", "environment: test, namespaces: [lab], mode: observe"),
  ],
  roles: [
    role("db", "payments"),
    role("cache", "payments"),
    role("web", "shop"),
    role("batch", "shop"),
    role("trial", "lab"),
  ],
  sentences: [
    policy("pay", "payments", [
      "{from: {role: web}, to: {role: db}, 'on': [tcp/5432], why: orders}",
      "{from: {segment: shop}, to: {role: cache}, 'on': [tcp/6379], why: sessions}",
      "{from: {role: db}, to: {cidr: 203.0.113.0/24}, 'on': [tcp/443], why: backup}",
    ]),
    policy("shop", "shop", ["{from: {entity: any}, to: {role: web}, 'on': [tcp/8080-8090], why: customers}"]),
  ],
  guardrails: [
    `{apiVersion: signet.dev/v1alpha1, kind: Guardrail, metadata: {name: base}, spec: {
      fences: [environment],
      deny: [{from: {role: batch}, to: {role: cache}, why: fills it up}, {from: {entity: any}, to: {entity: any}, 'on': [tcp/8085], why: debugging}],
      allow: [{from: {entity: any}, to: {namespace: {name: kube-system, podLabels: {matchLabels: {k8s-app: kube-dns}}}}, 'on': [udp/53], why: names}]}}`,
  ],
  exceptions: [
    "{apiVersion: signet.dev/v1alpha1, kind: SegmentException, metadata: {name: x, namespace: pay}, spec: {permit: {sentence: {from: {role: trial}, to: {role: db}, 'on': [tcp/5433]}}, workloads: {role: db}, reason: move, expires: 2026-12-24T00:00:00Z}}",
  ],
  restrictions: [] as readonly string[],
};

/** The parts of an estate, some of them changed. */
export const estateText = (changed: Partial<Readonly<Record<keyof typeof PARTS, readonly string[]>>> = {}): string =>
  Object.values({ ...PARTS, ...changed })
    .flat()
    .join("\n---\n");

/** The catalogue of an estate. */
export const estate = (changed: Parameters<typeof estateText>[0] = {}): Catalogue => catalogueOf(estateText(changed));

/** Where the workloads of an estate stand: account and namespace. */
const PLACES = [
  ["db", "pay"],
  ["cache", "pay"],
  ["other", "pay"],
  ["web", "shop"],
  ["batch", "shop"],
  ["trial", "lab"],
  ["other", "elsewhere"],
] as const;

/** One Pod for each role, and some without. */
export const estateMembers = (catalogue: Catalogue): readonly EffectiveEnd<WorkloadEnd>[] =>
  PLACES.map(([account, place]) => {
    const [object] = objectsOf(
      `{apiVersion: v1, kind: Pod, metadata: {name: ${account}, namespace: ${place}, labels: {app: ${account}}}, spec: {serviceAccountName: ${account}}}`,
    );
    const workload = object && must(readWorkload(object, { namespace: place }));
    if (!workload) throw new Error("no workload");
    return memberOf(flowEndOf(catalogue, workload));
  });
