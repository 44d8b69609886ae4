import { type Catalogue, makeCatalogue } from "../domain/catalogue.ts";
import type { WorkloadEnd } from "../domain/flow.ts";
import { ok, type Problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
import type { Workload } from "../domain/workload.ts";
import { flowEndOf } from "../identity/flow-end.ts";
import { type EffectiveEnd, isPodLike, namedPorts, outsideEndpoint } from "../policy/effective/end.ts";
import { compileIntent, type Intent } from "../policy/intent/intent.ts";
import { type Endpoint, type Inside, workloadText } from "../policy/model/endpoint.ts";
import type { PodRecord, World } from "../policy/model/world.ts";
import { NO_ADDRESSES, parseAddress } from "../policy/sets/address-set.ts";
import { isDefinition, readDefinitions } from "../wire/definitions.ts";
import { type KubeObject, readObjects } from "../wire/objects.ts";
import { readWorkload } from "../wire/workloads.ts";
import type { Io } from "./io.ts";
import { cataloguePath, type Loaded, loadCatalogue } from "./load-catalogue.ts";
import { type InputOptions, readManifests } from "./policy-input.ts";
import { withNamespaces } from "./with-namespaces.ts";
import { isKind } from "./workload-query.ts";

/** A workload of the input as an end of flows. */
export type Member = EffectiveEnd<WorkloadEnd> & { readonly workload: Workload };

/** Workloads and foreign policies of a folder, under the definitions of a catalogue. */
export type Inventory = {
  readonly catalogue: Catalogue;
  readonly intent: Intent;
  readonly world: World;
  /** Every workload, those that the catalogue defines included. */
  readonly members: readonly Member[];
  /** The end that a workload of a list is under our kinds. */
  readonly endOf: (endpoint: Inside) => WorkloadEnd;
};

/** How an inventory is read. */
export type InventoryOptions = InputOptions & { readonly catalogue?: string };

/** Reads the manifests of the paths, and who each of their workloads is under the catalogue, if one is named. */
export function readInventory(io: Io, paths: readonly string[], options: InventoryOptions): Result<Inventory> {
  const loaded = loadOptional(io, options.catalogue);
  const files = io.readInputs(paths);
  if (!loaded.ok || !files.ok) return refuseAll([loaded, files].flatMap((each) => (each.ok ? [] : each.problems)));
  const objects = readObjects(files.value);
  if (!objects.ok) return objects;
  const world = readManifests({ ...io, readInputs: () => files }, paths, options);
  if (!world.ok) return world;
  const catalogue = withNamespaces(loaded.value.catalogue, objects.value.objects, false);
  if (!catalogue.ok) return catalogue;
  const workloads = readWorkloads([...loaded.value.objects.filter(isDefinition), ...objects.value.objects]);
  if (!workloads.ok) return workloads;
  return ok(inventoryOf(catalogue.value, world.value, workloads.value));
}

/** Without a catalogue there are no roles, and only foreign policies decide. */
function loadOptional(io: Io, folder: string | undefined): Result<Loaded> {
  if (cataloguePath(io, folder) !== undefined) return loadCatalogue(io, folder);
  const none = readDefinitions([]);
  return none.ok ? ok({ catalogue: makeCatalogue(none.value, ""), objects: [] }) : none;
}

/** Every workload once: a folder may hold both manifests and definitions. */
function readWorkloads(objects: readonly KubeObject[]): Result<readonly Workload[]> {
  const problems: Problem[] = [];
  const workloads = new Map<string, Workload>();
  for (const object of objects) {
    const read = readWorkload(object, { namespace: object.namespace || "default" });
    if (!read.ok) problems.push(...read.problems);
    else if (read.value) workloads.set(keyOf(read.value.object), read.value);
  }
  return problems.length > 0 ? refuseAll(problems) : ok([...workloads.values()]);
}

const keyOf = ({ kind, namespace, name }: Workload["object"]): string => `${kind} ${namespace}/${name}`;

function inventoryOf(catalogue: Catalogue, world: World, workloads: readonly Workload[]): Inventory {
  const records = recordsByName(world);
  const addresses = new Map(
    catalogue.definitions.externalWorkloads.map((each) => [`${each.namespace}/${each.name}`, each.addresses]),
  );
  const members = workloads.map((workload): Member => {
    const record = recordOf(records, workload);
    const end = flowEndOf(catalogue, workload, { ports: namedPorts(record?.ports ?? []) });
    const known = addresses.get(`${workload.namespace}/${workload.object.name}`) ?? [];
    return { end, workload, endpoint: isPodLike(end) ? insideOf(world, end, record) : byAddress(end, known) };
  });
  const byRecord = new Map(
    members.flatMap((member) => {
      const record = recordOf(records, member.workload);
      return record ? [[workloadText(record.workload), member.end] as const] : [];
    }),
  );
  return {
    catalogue,
    intent: compileIntent(catalogue),
    world: { ...world, warnings: world.warnings.filter((found) => !isAboutMachine(found)) },
    members,
    endOf: (endpoint) => byRecord.get(workloadText(endpoint.name)) ?? nobody(endpoint),
  };
}

/** That virtual machines are left out of lists of the Pod network is no matter here: they are members like others. */
const isAboutMachine = ({ code, message }: Problem): boolean =>
  code === "OBJECT_SKIPPED" && message.includes("VirtualMachine");

function recordsByName(world: World): ReadonlyMap<string, readonly PodRecord[]> {
  const records = new Map<string, PodRecord[]>();
  for (const record of world.pods) {
    const key = `${record.namespace}/${record.name}`;
    records.set(key, [...(records.get(key) ?? []), record]);
  }
  return records;
}

const recordOf = (
  records: ReadonlyMap<string, readonly PodRecord[]>,
  { namespace, object }: Workload,
): PodRecord | undefined =>
  records
    .get(`${namespace}/${object.name}`)
    ?.find((record) => record.workload.kind === object.kind || object.kind === "Pod");

/** The workload as foreign policies see it; of a VM nothing but its template's labels is known before it runs. */
function insideOf(world: World, end: WorkloadEnd, record: PodRecord | undefined): Endpoint {
  const name = record?.workload ?? { namespace: end.namespace, name: end.object.name, kind: end.object.kind };
  return {
    kind: "workload",
    name,
    text: workloadText(name),
    traits: {
      namespace: end.namespace,
      namespaceLabels: world.namespaces.get(end.namespace) ?? { "kubernetes.io/metadata.name": end.namespace },
      labels: end.labels,
      ports: record?.ports ?? [],
      addresses: record?.addresses ?? NO_ADDRESSES,
      ...(record?.host ? { host: record.host } : {}),
      virtualMachine: end.workloadKind === "VirtualMachine",
    },
  };
}

/** A machine or function: Kubernetes policies know it by address only. */
function byAddress(end: WorkloadEnd, addresses: readonly string[]): Endpoint {
  const block = parseAddress(addresses[0] ?? "");
  if (block === undefined) return outsideEndpoint(end.object.name, undefined);
  const first = BigInt(block.range[0]);
  return outsideEndpoint(end.object.name, { family: block.family, first, last: first });
}

/** A workload that is in no file of the input: the ingress controller. */
const nobody = ({ name, traits }: Inside): WorkloadEnd => ({
  kind: "workload",
  workloadKind: "Pod",
  object: { kind: name.kind, namespace: name.namespace, name: name.name },
  namespace: name.namespace,
  labels: traits.labels,
  ports: namedPorts(traits.ports),
  inCanary: false,
});

/** The one workload that a name means: `name`, `namespace/name`, `kind/name`, or a role's only holder. */
export function findMember(inventory: Inventory, name: string): Result<Member> {
  const named = inventory.members.filter((member) => isCalled(member, name));
  const [only, ...more] = named;
  if (only && more.length === 0) return ok(only);
  if (only)
    return refuse(
      "WORKLOAD_UNKNOWN",
      "",
      `${name} is the name of ${named.map(({ endpoint }) => endpoint.text).join(" and ")}.`,
      "Write namespace/name.",
    );
  return refuse(
    "WORKLOAD_UNKNOWN",
    "",
    `Workload ${name} does not exist in the input resources.`,
    `Names are name, namespace/name or kind/name; there are ${inventory.members.length} workloads.`,
  );
}

function isCalled({ end: { object, namespace }, endpoint }: Member, name: string): boolean {
  if ([object.name, `${namespace}/${object.name}`, endpoint.text].includes(name)) return true;
  const [kind = "", rest] = name.split("/");
  return rest === object.name && isKind(kind, object.kind);
}
