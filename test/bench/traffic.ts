import { type Catalogue, makeCatalogue } from "../../src/domain/catalogue.ts";
import type { Role, Segment } from "../../src/domain/definitions.ts";
import type { WorkloadEnd } from "../../src/domain/flow.ts";
import type { Guardrail, SegmentPolicy, Sentence } from "../../src/domain/sentences.ts";
import type { EffectiveEnd } from "../../src/policy/effective/end.ts";

/** A fleet: its catalogue, and its workloads as ends of flows. */
export type Fleet = { readonly catalogue: Catalogue; readonly ends: readonly EffectiveEnd<WorkloadEnd>[] };

const UNCHECKED = { state: "unchecked" } as const;
const PORTS_IN_USE = 60;

/**
 * A fleet of so many workloads: a role for every five of them, a segment for every twenty, a sentence for every five;
 * 10,000 workloads have 2,000 roles, 500 segments and 2,000 sentences. Two environments, fenced; one segment in ten is
 * observed only, one in twenty lets its roles talk.
 */
export function fleetOf(workloads: number): Fleet {
  const roles = Math.max(2, Math.round(workloads / 5));
  const segments = Math.max(1, Math.round(workloads / 20));
  const segmentOf = (role: number): string => `segment-${role % segments}`;
  const catalogue = makeCatalogue(
    {
      segments: Array.from({ length: segments }, (_, index) => segment(index)),
      roles: Array.from({ length: roles }, (_, index) => role(index, segmentOf(index))),
      namespaces: Array.from({ length: segments }, (_, index) => ({ name: `ns-${index}`, enrolled: true, labels: {} })),
      exceptions: [],
      policies: policies(roles, segments),
      guardrails: [GUARDRAIL],
      externalWorkloads: [],
      restrictions: [],
    },
    "bench",
  );
  const ends = Array.from({ length: workloads }, (_, index) => workload(index, index % roles, segments));
  return { catalogue, ends };
}

const environmentOf = (segmentNumber: number): string => (segmentNumber % 2 === 0 ? "prod" : "test");

const segment = (index: number): Segment => ({
  name: `segment-${index}`,
  approval: UNCHECKED,
  environment: environmentOf(index),
  namespaces: [`ns-${index}`],
  namespaceUids: {},
  isolation: "shared",
  intra: index % 20 === 0 ? "allow" : "deny",
  policyApproval: "none",
  mode: index % 10 === 9 ? "observe" : "enforce",
  canary: { workloads: [], namespaces: [] },
});

const role = (index: number, segmentName: string): Role => ({
  name: `role-${index}`,
  approval: UNCHECKED,
  segment: segmentName,
  match: { kinds: ["Pod"], labels: [], createdBy: [] },
  labels: {},
  permits: [],
  delivery: "none",
  dnsNames: [],
  federatesWith: [],
});

const sentence = (from: number, to: number, index: number): Sentence => ({
  path: `spec.allow[${index}]`,
  from: { by: "role", name: `role-${from}` },
  to: { by: "role", name: `role-${to}` },
  on: [{ protocol: "tcp", first: 5000 + (index % PORTS_IN_USE), last: 5000 + (index % PORTS_IN_USE) }],
});

/** One sentence a role, from a role not far away. */
function policies(roles: number, segments: number): readonly SegmentPolicy[] {
  const bySegment = new Map<number, Sentence[]>();
  for (let to = 0; to < roles; to += 1) {
    const list = bySegment.get(to % segments) ?? [];
    list.push(sentence((to * 7 + 3) % roles, to, to));
    bySegment.set(to % segments, list);
  }
  return [...bySegment].map(([index, allow]) => ({
    name: "edges",
    approval: UNCHECKED,
    namespace: `ns-${index}`,
    segment: `segment-${index}`,
    allow,
  }));
}

const GUARDRAIL: Guardrail = {
  name: "base",
  approval: UNCHECKED,
  fences: ["environment"],
  deny: [
    {
      path: "spec.deny[0]",
      from: { by: "entity", name: "any" },
      to: { by: "entity", name: "any" },
      on: [{ protocol: "tcp", first: 23, last: 23 }],
    },
  ],
  allow: [
    {
      path: "spec.allow[0]",
      from: { by: "role", name: "role-1" },
      to: { by: "entity", name: "any" },
      on: [{ protocol: "tcp", first: 9100, last: 9100 }],
    },
  ],
};

function workload(index: number, roleNumber: number, segments: number): EffectiveEnd<WorkloadEnd> {
  const segmentNumber = roleNumber % segments;
  const namespace = `ns-${segmentNumber}`;
  const name = `workload-${index}`;
  const end: WorkloadEnd = {
    kind: "workload",
    workloadKind: "Pod",
    object: { kind: "Pod", namespace, name },
    namespace,
    labels: {},
    ports: [],
    role: `role-${roleNumber}`,
    segment: `segment-${segmentNumber}`,
    environment: environmentOf(segmentNumber),
    inCanary: false,
  };
  return { end, endpoint: { kind: "outside", text: name, addresses: { v4: [], v6: [] } } };
}
