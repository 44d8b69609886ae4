import type { Source } from "../../domain/problem.ts";
import { type Endpoint, workloadText } from "../model/endpoint.ts";
import type { World } from "../model/world.ts";
import { sameSet, subtract } from "../sets/intervals.ts";
import { NO_PORTS, type PortSet } from "../sets/port-set.ts";
import { type Connection, type Cuts, connectivity } from "./connectivity.ts";
import { cutsOf, outside } from "./outside.ts";
import { type NetworkName, scenesOf } from "./scene.ts";

/** One pair whose connections differ between two folders, and what it gained and lost. */
export type Change = {
  readonly kind: "changed" | "added" | "removed";
  readonly network: NetworkName;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly before: PortSet;
  readonly after: PortSet;
  readonly gained: PortSet;
  readonly lost: PortSet;
  /** Ends that only one of the folders has. */
  readonly workloads: readonly string[];
  /** Where the destination is defined, or the source where that is outside. */
  readonly place?: Source;
};

type Entry = { readonly network: NetworkName; readonly connection: Connection };

/** Every pair whose connections differ; neighbouring outside ranges with the same change are one. */
export function diffConnectivity(before: World, after: World): readonly Change[] {
  const policies = [...before.policies, ...after.policies];
  const cuts: Cuts = { ingress: cutsOf(policies, "ingress"), egress: cutsOf(policies, "egress") };
  const [left, right] = [sideOf(before, cuts), sideOf(after, cuts)];
  const keys = new Set([...left.entries.keys(), ...right.entries.keys()]);
  return joinRanges([...keys].flatMap((key) => changeOf(key, left, right)));
}

/** One of the two folders: its connections by pair, and the names of its workloads. */
type Side = {
  readonly world: World;
  readonly entries: ReadonlyMap<string, Entry>;
  readonly names: ReadonlySet<string>;
};

const sideOf = (world: World, cuts: Cuts): Side => ({ world, entries: entriesOf(world, cuts), names: namesOf(world) });

function changeOf(key: string, left: Side, right: Side): readonly Change[] {
  const entry = right.entries.get(key) ?? left.entries.get(key);
  const [before, after] = [portsOf(left, key), portsOf(right, key)];
  if (!entry || sameSet(before, after)) return [];
  const { source, destination } = entry.connection;
  const kind = kindOf(before, after);
  const place = placeOf(entry.connection, [right.world, left.world]);
  return [
    {
      kind,
      network: entry.network,
      source,
      destination,
      before,
      after,
      gained: subtract(after, before),
      lost: subtract(before, after),
      workloads: [source, destination].filter((end) => isMissing(end, kind, { left, right })).map(plainText),
      ...(place ? { place } : {}),
    },
  ];
}

const portsOf = ({ entries }: Side, key: string): PortSet => entries.get(key)?.connection.ports ?? NO_PORTS;

const kindOf = (before: PortSet, after: PortSet): Change["kind"] =>
  before.length === 0 ? "added" : after.length === 0 ? "removed" : "changed";

/** Whether the end is a workload that the side without the connection lacks. */
function isMissing(end: Endpoint, kind: Change["kind"], { left, right }: { left: Side; right: Side }): boolean {
  if (kind === "changed" || end.kind !== "workload") return false;
  return !(kind === "added" ? left : right).names.has(plainText(end));
}

function placeOf({ source, destination }: Connection, worlds: readonly World[]): Source | undefined {
  const text = plainText(destination.kind === "workload" ? destination : source);
  for (const world of worlds) {
    const pod = world.pods.find((one) => workloadText(one.workload) === text);
    if (pod) return pod.locate([]);
  }
  return undefined;
}

/** The name of an end without the mark of its network, so that a workload that moved is still the same. */
export const plainText = (end: Endpoint): string => (end.kind === "workload" ? workloadText(end.name) : end.text);

const namesOf = (world: World): ReadonlySet<string> => new Set(world.pods.map((pod) => workloadText(pod.workload)));

/** All connections by pair; a workload is on one primary network, so those need not be told apart. */
function entriesOf(world: World, cuts: Cuts): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const scene of scenesOf(world))
    for (const connection of connectivity(world, scene, cuts)) {
      const network = scene.network.kind === "NAD" ? scene.network.name : "";
      entries.set(`${network} ${plainText(connection.source)} => ${plainText(connection.destination)}`, {
        network: scene.network,
        connection,
      });
    }
  return entries;
}

/** Joins outside ranges that touch and changed alike. */
function joinRanges(changes: readonly Change[]): readonly Change[] {
  const joined: Change[] = [];
  const open = new Map<string, number>();
  for (const change of changes.toSorted((a, b) => firstAddress(a) - firstAddress(b))) {
    const key = joinKey(change);
    const place = open.get(key);
    const earlier = place === undefined ? undefined : joined[place];
    const wider = earlier && joinTwo(earlier, change);
    if (wider && place !== undefined) joined[place] = wider;
    else open.set(key, joined.push(change) - 1);
  }
  return joined;
}

const firstAddress = ({ source, destination }: Change): number =>
  (source.kind === "outside"
    ? source.addresses.v4[0]
    : destination.kind === "outside"
      ? destination.addresses.v4[0]
      : 0) ?? 0;

const joinKey = ({ source, destination, before, after, network }: Change): string =>
  [source, destination].map((end) => (end.kind === "outside" ? "*" : end.text)).join(" => ") +
  ` ${before.join()} ${after.join()} ${network.kind === "NAD" ? network.name : ""}`;

function joinTwo(a: Change, b: Change): Change | undefined {
  const side: keyof Pick<Change, "source" | "destination"> = a.source.kind === "outside" ? "source" : "destination";
  const [left, right] = [a[side], b[side]];
  if (left.kind !== "outside" || right.kind !== "outside") return undefined;
  const [from, end] = left.addresses.v4;
  const [start, until] = right.addresses.v4;
  if (from === undefined || until === undefined || end !== start) return undefined;
  return { ...a, [side]: outside({ v4: [from, until], v6: [] }) };
}
