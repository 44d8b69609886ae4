import { expect, test } from "vitest";
import { type GateRequest, mutate, validate } from "../../src/admission/gate.ts";
import type { Catalogue } from "../../src/domain/catalogue.ts";
import type { Launching, Workload } from "../../src/domain/workload.ts";
import { metadataPresence } from "../../src/wire/presence.ts";
import { readWorkload } from "../../src/wire/workloads.ts";
import { applyPatch } from "../fakes/json-patch.ts";
import { catalogueOf, must, NOON, objectsOf } from "../fakes/judging.ts";
import { instanceOf, launcherOf, type Live, virtualMachine } from "../api/play-kubevirt.ts";

/** A role at a generation, with the tier that it has there. */
const at = (generation: number, tier: string, more = ""): Catalogue =>
  catalogueOf(`
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: payments, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: payments}, spec: {namespaces: [payments], mode: enforce}}
---
${JSON.stringify({
  apiVersion: "signet.dev/v1alpha1",
  kind: "WorkloadRole",
  metadata: { name: "orders-db", uid: "r1", generation },
  spec: role(tier),
  status: { approved: { generation, spec: role(tier), by: ["alice"], at: "2026-11-23T11:00:00Z" } },
})}
${more}`);

const role = (tier: string) => ({
  segment: "payments",
  match: { serviceAccounts: ["orders-db"], kinds: ["VirtualMachine"] },
  labels: { tier },
});

const OLD = at(1, "data");
const NEW = at(2, "gold");
const WITHOUT_ROLE = catalogueOf(`
{apiVersion: v1, kind: Namespace, metadata: {name: payments, labels: {signet.dev/enrol: "true"}}}
`);

type Given = Readonly<Record<string, unknown>>;

const read = (object: Given): { readonly workload: Workload; readonly presence: GateRequest["presence"] } => {
  const [found] = objectsOf(JSON.stringify(object));
  if (!found) throw new Error("no object");
  const workload = must(readWorkload(found, { namespace: "payments" }));
  if (!workload) throw new Error("no workload");
  return { workload, presence: metadataPresence(found.raw) };
};

const creating = (object: Given, launching?: Launching): GateRequest => ({
  uid: "u",
  operation: "CREATE",
  subResource: "",
  dryRun: false,
  user: { username: "system:serviceaccount:kubevirt:kubevirt-controller", groups: [] },
  deleting: false,
  relevantChange: true,
  ...read(object),
  ...(launching ? { launching } : {}),
});

/** The object as mutation by one catalogue leaves it. */
const stampedBy = (catalogue: Catalogue, object: Given, launching?: Launching): Given =>
  applyPatch(object, mutate(catalogue, creating(object, launching), { now: NOON }).patch);

const MACHINE = { ...virtualMachine("orders", { serviceAccountName: "orders-db" }), namespace: "payments" };
const UID = "11111111-1111-1111-1111-111111111111";

const named = (object: Given, metadata: Given): Given => ({
  ...object,
  metadata: { ...(object["metadata"] as Given), namespace: "payments", ...metadata },
});

const INSTANCE = named(instanceOf(named(MACHINE, { uid: "22" }) as unknown as Parameters<typeof instanceOf>[0]), {
  uid: UID,
});

type Instance = Parameters<typeof launcherOf>[0];
const launcherMade = (instance: Given): Given => launcherOf(instance as unknown as Instance, "job");
const by = (machine: Launching["machine"]): Launching => ({ byVirtController: true, machine });
const labelsOf = (object: Given) => (object as unknown as Live).metadata.labels ?? {};

const judged = (catalogue: Catalogue, object: Given, launching?: Launching) => {
  const { allowed, verdict } = validate(catalogue, creating(object, launching), { now: NOON });
  return [allowed, ...(verdict?.problems.map(({ code }) => code) ?? [])];
};

/** Which of two replicas stamped the instance, which its launcher, and which judges: one has seen the edit, one has not. */
const WAYS = [OLD, NEW].flatMap((a) => [OLD, NEW].flatMap((b) => [OLD, NEW].map((c) => [a, b, c] as const)));

test.each(WAYS.map((way) => [way.map((each) => (each === OLD ? "old" : "new")).join(", "), way] as const))(
  "instance, launcher and judge by replicas that know the role as %s: one identity, nothing refused",
  (_name, [first, second, third]) => {
    const instance = stampedBy(first, INSTANCE);
    const machine = read(instance).workload;
    const launcher = stampedBy(second, launcherMade(instance), by(machine));
    expect(judged(third, launcher, by(machine))[0]).toBe(true);
    expect(labelsOf(launcher)).toMatchObject({
      "signet.dev/role": "orders-db",
      "signet.dev/segment": "payments",
      "role.signet.dev/tier": [first, second].includes(NEW) ? "gold" : "data",
    });
  },
);

test.each([
  ["an instance", INSTANCE],
  ["a machine", MACHINE],
] as const)("%s that a replica stamped which lagged is taken, with a warning", (_what, object) => {
  expect(judged(NEW, stampedBy(OLD, object))).toEqual([true, "STAMP_MISSING"]);
});

test("an instance whose role is gone hands its stamp on, and its launcher is not refused", () => {
  const instance = stampedBy(OLD, INSTANCE);
  const machine = read(instance).workload;
  const launcher = launcherMade(instance);
  expect(mutate(WITHOUT_ROLE, creating(launcher, by(machine)), { now: NOON }).patch).toEqual([]);
  expect(judged(WITHOUT_ROLE, launcher, by(machine))).toEqual([true, "ROLE_NONE"]);
});

test("a launcher of an instance that was never stamped gets the stamp that the instance should have", () => {
  const launcher = stampedBy(NEW, launcherMade(INSTANCE), by(read(INSTANCE).workload));
  expect(labelsOf(launcher)).toMatchObject({ "signet.dev/role": "orders-db", "role.signet.dev/tier": "gold" });
});

test("a launcher whose instance could not be looked up keeps the stamp that it came with", () => {
  const launcher = launcherMade(stampedBy(OLD, INSTANCE));
  expect(mutate(NEW, creating(launcher, by("unknown")), { now: NOON }).patch).toEqual([]);
  expect(judged(NEW, launcher, by("unknown"))).toEqual([true, "LAUNCHER_UNKNOWN"]);
});

const restriction = (target: string) => `---
{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q1}, spec: {target: ${target}, effect: quarantine, reason: it called home}}
`;

test.each([
  ["its instance", `{virtualMachine: {namespace: payments, name: orders, uid: "${UID}"}}`, false],
  ["the machine behind it", '{virtualMachine: {namespace: payments, name: orders, uid: "22"}}', false],
  ["the machine by name", "{virtualMachine: {name: orders}}", false],
  ["its identity", '{identity: "spiffe://example.org/ns/payments/sa/orders-db"}', false],
  ["its role", "{role: orders-db}", false],
  ["its segment", "{segment: payments}", false],
  ["another machine of that name", '{virtualMachine: {namespace: payments, name: orders, uid: "33"}}', true],
  ["a machine elsewhere", "{virtualMachine: {namespace: other, name: orders}}", true],
  ["another role", "{role: other}", true],
] as const)("a Restriction on %s decides whether a launcher starts", (_what, target, allowed) => {
  const catalogue = at(2, "gold", restriction(target));
  const instance = stampedBy(catalogue, INSTANCE);
  const launching = by(read(instance).workload);
  expect(judged(catalogue, stampedBy(catalogue, launcherMade(instance), launching), launching)).toEqual(
    allowed ? [true] : [false, "RESTRICTED"],
  );
});

const updating = (before: Given, now: Given): GateRequest => ({
  ...creating(now),
  operation: "UPDATE",
  oldWorkload: read(before).workload,
});

const changed = (catalogue: Catalogue, before: Given, now: Given) => {
  const { allowed, verdict } = validate(catalogue, updating(before, now), { now: NOON });
  return [allowed, ...(verdict?.problems.map(({ code }) => code) ?? [])];
};

const withSpec = (instance: Given, spec: Given): Given => ({
  ...instance,
  spec: { ...(instance["spec"] as Given), ...spec },
});
const SECOND_NETWORK = {
  networks: [
    { name: "default", pod: {} },
    { name: "lan", multus: { networkName: "lan" } },
  ],
};

test("a network plugged into a running instance is refused, and one that it had before stops no other change", () => {
  const plain = stampedBy(NEW, INSTANCE);
  const plugged = withSpec(plain, SECOND_NETWORK);
  expect(changed(NEW, plain, plugged)).toEqual([false, "UNCOVERED_INTERFACE"]);
  expect(changed(NEW, plugged, withSpec(plugged, { evictionStrategy: "LiveMigrate" }))).toEqual([
    true,
    "UNCOVERED_INTERFACE",
  ]);
});

test("a running instance whose role is gone may be changed by KubeVirt", () => {
  const plain = stampedBy(OLD, INSTANCE);
  expect(changed(WITHOUT_ROLE, plain, withSpec(plain, { evictionStrategy: "None" }))[0]).toBe(true);
});

test("the machine that is edited gets a new stamp, and the instance that runs does not", () => {
  const relabelled = (object: Given) => named(object, { labels: { ...labelsOf(object), team: "b" } });
  const patch = (object: Given) => mutate(NEW, updating(object, relabelled(object)), { now: NOON }).patch;
  expect(patch(stampedBy(OLD, MACHINE)).length).toBeGreaterThan(0);
  expect(patch(stampedBy(OLD, INSTANCE))).toEqual([]);
});

test("a machine's stale stamp is no forgery, and one that somebody wrote is", () => {
  const machine = stampedBy(OLD, MACHINE);
  expect(changed(NEW, machine, named(machine, { labels: { ...labelsOf(machine), team: "b" } }))).toEqual([true]);
  const forged = named(machine, { labels: { ...labelsOf(machine), "signet.dev/segment": "other" } });
  expect(changed(NEW, machine, forged)).toEqual([false, "FORGED"]);
});

test("a clone is not the original: what was copied of its stamp is replaced by its own", () => {
  const original = stampedBy(NEW, MACHINE);
  const clone = named(
    { ...virtualMachine("clone", { serviceAccountName: "orders-db" }) },
    {
      labels: { ...labelsOf(original), "role.signet.dev/tier": "stolen" },
      annotations: { "signet.dev/stamp": '{"role":{"name":"orders-db","uid":"r0"},"segment":{"name":"payments"}}' },
    },
  );
  const born = stampedBy(NEW, clone);
  expect((born as unknown as Live).metadata).toMatchObject({
    labels: { "role.signet.dev/tier": "gold" },
    annotations: { "signet.dev/stamp": (original as unknown as Live).metadata.annotations?.["signet.dev/stamp"] },
  });
  expect(judged(NEW, born)).toEqual([true]);
  expect(judged(NEW, clone)).toEqual([false, "FORGED", "FORGED", "STAMP_MISSING"]);
});
