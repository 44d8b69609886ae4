import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";

/** How large a catalogue is made. Roles and sentences grow with the workloads: 50 workloads a role, 10 sentences a role. */
export type CatalogueSize = { readonly workloads: number; readonly roles: number; readonly sentences: number };

/** 10,000 workloads have 200 roles and 2,000 sentences. */
export const sizeOf = (workloads: number): CatalogueSize => ({
  workloads,
  roles: Math.max(1, Math.round(workloads / 50)),
  sentences: Math.max(1, Math.round(workloads / 5)),
});

const ROLES_PER_SEGMENT = 10;
const OBJECTS_PER_FILE = 500;
const API = "signet.dev/v1alpha1";

/** Name of the segment, and of the namespace, of the n-th role. */
export const roomOf = (role: number): string => `room-${Math.floor(role / ROLES_PER_SEGMENT)}`;
/** Name of the n-th role and of its service account. */
export const roleOf = (role: number): string => `role-${role}`;

/** Writes a catalogue of the size as a folder of YAML. */
export function writeCatalogue(folder: string, size: CatalogueSize): void {
  mkdirSync(folder, { recursive: true });
  const segments = Math.ceil(size.roles / ROLES_PER_SEGMENT);
  write(folder, "local", [
    { apiVersion: API, kind: "TrustDomain", metadata: { name: "local" }, spec: { domain: "bench.example.org" } },
  ]);
  for (let segment = 0; segment < segments; segment++)
    write(folder, `room-${segment}`, segmentObjects(segment, segments, size));
  for (let first = 0; first < size.workloads; first += OBJECTS_PER_FILE)
    write(folder, `workloads-${first}`, workloads(first, Math.min(size.workloads, first + OBJECTS_PER_FILE), size));
}

const write = (folder: string, name: string, objects: readonly object[]): void =>
  writeFileSync(join(folder, `${name}.yaml`), objects.map((each) => stringify(each, { version: "1.1" })).join("---\n"));

function segmentObjects(segment: number, segments: number, size: CatalogueSize): readonly object[] {
  const name = `room-${segment}`;
  const first = segment * ROLES_PER_SEGMENT;
  const roles = Array.from({ length: Math.min(ROLES_PER_SEGMENT, size.roles - first) }, (_, index) => first + index);
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels: { "signet.dev/enrol": "true", "kubernetes.io/metadata.name": name } },
    },
    {
      apiVersion: API,
      kind: "Segment",
      metadata: { name },
      spec: { environment: segment % 2 === 0 ? "prod" : "test", namespaces: [name], mode: "enforce" },
    },
    ...roles.map((role) => ({
      apiVersion: API,
      kind: "WorkloadRole",
      metadata: { name: roleOf(role) },
      spec: {
        segment: name,
        match: { serviceAccounts: [roleOf(role)], kinds: ["Pod", "Machine"] },
        labels: { tier: "data" },
      },
    })),
    {
      apiVersion: API,
      kind: "SegmentPolicy",
      metadata: { namespace: name, name },
      spec: { segment: name, allow: sentences(roles, Math.round(size.sentences / segments), size.roles) },
    },
  ];
}

const sentences = (roles: readonly number[], count: number, all: number): readonly object[] =>
  Array.from({ length: count }, (_, index) => ({
    from: { role: roleOf((index * 7) % all) },
    to: { role: roleOf(roles[index % roles.length] ?? 0) },
    on: [`tcp/${5000 + (index % 50)}`],
    why: `edge ${index}`,
  }));

const workloads = (first: number, end: number, size: CatalogueSize): readonly object[] =>
  Array.from({ length: end - first }, (_, index) => {
    const number = first + index;
    const role = number % size.roles;
    const address = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
    return {
      apiVersion: API,
      kind: "ExternalWorkload",
      metadata: { namespace: roomOf(role), name: `machine-${number}` },
      spec: { kind: "Machine", serviceAccount: roleOf(role), join: { method: "boundKeypair" }, addresses: [address] },
    };
  });
