import { expect, test } from "vitest";
import { type Catalogue, makeCatalogue } from "../../../src/domain/catalogue.ts";
import { compileForCluster, type Published } from "../../../src/reconcile/policies/cluster.ts";
import type { Raw } from "../../../src/wire/read-object.ts";
import { must, NOON } from "../../fakes/judging.ts";
import { estate, PARTS } from "../../policy/compile/estate.ts";
import { POD_NETWORK } from "../../policy/compile/random-site.ts";

const TARGETS = ["networkpolicy", "clusternetworkpolicy"] as const;

const podAt = (podIP: string): Raw => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "shop", uid: "u", labels: { app: "web" } },
  spec: { serviceAccountName: "web", containers: [{ name: "main" }] },
  status: { phase: "Running", podIP, podIPs: [{ ip: podIP }] },
});

const published = (catalogue: Catalogue, address: string, before?: Published): Published =>
  must(
    compileForCluster(
      {
        catalogue,
        namespaces: new Map(["pay", "shop", "lab"].map((name) => [name, {}])),
        pods: [podAt(address)],
        nodes: [],
        policies: [],
        attachments: [],
      },
      { targets: TARGETS, ours: new Set(TARGETS), podNetworks: POD_NETWORK, now: NOON },
      before,
    ),
  );

const ADMIN = `{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: admin, namespace: pay}, spec: {segment: payments, allow: [
  {from: {role: web}, to: {role: db}, 'on': [tcp/9001], why: metrics},
  {from: {role: web}, to: {role: db}, 'on': [tcp/9002], why: traces}]}}`;

test("after one sentence has changed only its doors are worked out again, and the result is the same", () => {
  const first = estate({ sentences: [...PARTS.sentences, ADMIN] });
  const { definitions } = first;
  const policies = definitions.policies.map((one) =>
    one.name === "admin" ? { ...one, allow: one.allow.slice(1) } : one,
  );
  // As a snapshot of the API server is made: new lists, of the objects that have not changed.
  const lists = Object.entries({ ...definitions, policies }).map(([kind, value]) => [
    kind,
    Array.isArray(value) ? [...(value as readonly unknown[])] : value,
  ]);
  const second = makeCatalogue(Object.fromEntries(lists) as typeof definitions, "second");
  const before = published(first, "10.0.0.5");
  const after = published(second, "10.0.0.6", before);
  const fresh = published(second, "10.0.0.6");
  expect(after.compilation.compiled).toEqual(fresh.compilation.compiled);
  expect(after.compilation.losses).toEqual(fresh.compilation.losses);
  expect(after.compilation.doors.ground).toBe(before.compilation.doors.ground);
  const sameObjects = (one: Published): readonly unknown[] => one.compilation.compiled.get("networkpolicy") ?? [];
  const made = sameObjects(after).filter((object) => !sameObjects(before).includes(object));
  expect(made).toEqual([
    expect.objectContaining({ metadata: expect.objectContaining({ name: "signet" }) as unknown }),
    expect.objectContaining({ metadata: expect.objectContaining({ name: "signet-role-db" }) as unknown }),
    expect.objectContaining({ metadata: expect.objectContaining({ name: "signet" }) as unknown }),
    expect.objectContaining({ metadata: expect.objectContaining({ name: "signet-role-web" }) as unknown }),
  ]);
});
