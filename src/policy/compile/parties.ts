import type { LabelRequirement, LabelSelector } from "../../domain/label-selector.ts";
import { ROLE_LABEL, CLASSIFICATION_LABEL, ENVIRONMENT_LABEL, SEGMENT_LABEL } from "../../domain/reserved-keys.ts";
import type { Peer } from "../../domain/sentences.ts";
import type { Intent } from "../intent/intent.ts";
import { type Bits, eachBit, hasBit, isEmpty, noBits, placesWhere, setBit, without } from "../reach/bits.ts";
import { type AddressSet, NO_ADDRESSES, noAddresses, uniteAddresses } from "../sets/address-set.ts";
import { type Cell, holdsRoles } from "./cells.ts";

/**
 * Somebody at the far end of a door, in words that data planes have. Labels never stand alone: `namespaces` selects on
 * `kubernetes.io/metadata.name`, and is empty only where every Pod of the cluster is meant.
 */
export type Party =
  | { readonly kind: "everyone" }
  | { readonly kind: "pods"; readonly namespaces: LabelSelector; readonly pods: LabelSelector }
  | { readonly kind: "addresses"; readonly addresses: AddressSet }
  /** Names, foreign identities, nodes: what few targets know. */
  | { readonly kind: "other"; readonly peer: Peer };

/** Pods by labels. */
export type Pods = Extract<Party, { kind: "pods" }>;

const NAME_LABEL = "kubernetes.io/metadata.name";

const LABEL_OF = {
  role: ROLE_LABEL,
  segment: SEGMENT_LABEL,
  environment: ENVIRONMENT_LABEL,
  classification: CLASSIFICATION_LABEL,
} as const;

const isIn = (key: string, values: readonly string[]): LabelRequirement => ({ key, operator: "In", values });
const notIn = (key: string, values: readonly string[]): LabelRequirement => ({ key, operator: "NotIn", values });
const NO_ROLE: LabelRequirement = { key: ROLE_LABEL, operator: "DoesNotExist", values: [] };

/** A machine or a function: data planes of a cluster know it by its addresses. */
export type Machine = {
  readonly namespace: string;
  readonly name: string;
  readonly kind: "Machine" | "Function" | "Pod";
  readonly role?: string;
  readonly addresses: AddressSet;
  /** Under quarantine: its addresses are still no outside, and mean nobody. */
  readonly quarantined?: true;
};

/** Writes sets of cells as selections of Pods. */
export type Selecting = {
  /** The cells that a peer surely means. */
  readonly sure: (peer: Peer) => Bits;
  /** The Pods and machines of the cells; `peer` is who was written, whose own word is used where all of it is meant. */
  readonly partiesOf: (peer: Peer, bits: Bits) => readonly Party[];
  /** The Pods of the cells, one by one. */
  readonly each: (bits: Bits) => readonly Pods[];
  /** The Pods of one cell, by labels alone. */
  readonly podsOf: (cell: Cell) => LabelSelector;
};

/** What selections rest on beside the cells. With `plain` roles are selected by labels of the workloads' own. */
export type Vocabulary = {
  readonly machines: readonly Machine[];
  readonly plain?: (cell: Cell) => LabelSelector | undefined;
};

/** Selects nobody: for a role of whose workloads no labels are known. */
const NEVER: LabelRequirement = { key: "signet.dev/none", operator: "In", values: ["none"] };

/** Prepares selections over the cells of an intent. */
export function selectingOver(intent: Intent, cells: readonly Cell[], vocabulary: Vocabulary): Selecting {
  const { machines, plain } = vocabulary;
  const podsOf = (cell: Cell): LabelSelector => {
    const { namespace, role, labels } = cell;
    if (plain) return role === undefined ? labels : (plain(cell) ?? [NEVER]);
    if (role !== undefined) return [isIn(ROLE_LABEL, [role]), ...labels];
    return holdsRoles(intent.catalogue.namespaces.get(namespace ?? "")) ? [NO_ROLE, ...labels] : labels;
  };
  const known = new Map<string, Bits>();
  const holders = placesByRole(cells);
  const sure = (peer: Peer): Bits => {
    if (peer.by === "role") return holders.get(peer.name) ?? noBits(cells.length);
    const key = JSON.stringify(peer.by === "cidr" ? peer.cidr.text : peer);
    const bits = known.get(key) ?? placesWhere(cells, (cell) => surelyMeans(peer, cell));
    known.set(key, bits);
    return bits;
  };
  const explicit = (bits: Bits): readonly Pods[] => listed(cells, bits, podsOf, plain !== undefined);
  const selected = (peer: Peer, bits: Bits): readonly Pods[] => {
    if (isEmpty(bits)) return [];
    const missing = without(sure(peer), bits);
    if (plain && !(peer.by === "entity" && isEmpty(missing))) return explicit(bits);
    if (peer.by === "entity") return allBut(cells, bits, missing, explicit);
    if (!isEmpty(missing) || !isDimension(peer)) return explicit(bits);
    return [{ kind: "pods", namespaces: namedBy(cells, bits), pods: [isIn(LABEL_OF[peer.by], [peer.name])] }];
  };
  return {
    sure,
    podsOf,
    each: explicit,
    partiesOf: (peer, bits) => [...selected(peer, bits), ...machinesOf(cells, bits, machines)],
  };
}

/** The cells of each role, so that a peer that names one needs no look at all others. */
function placesByRole(cells: readonly Cell[]): ReadonlyMap<string, Bits> {
  const places = new Map<string, Bits>();
  for (const [place, { role }] of cells.entries()) {
    if (role === undefined) continue;
    const bits = places.get(role) ?? noBits(cells.length);
    setBit(bits, place);
    places.set(role, bits);
  }
  return places;
}

/** The addresses of machines that stand in the cells. */
function machinesOf(cells: readonly Cell[], bits: Bits, machines: readonly Machine[]): readonly Party[] {
  const meant = machines.filter(
    ({ namespace, role, quarantined }) =>
      quarantined === undefined &&
      cells.some(
        (cell, place) =>
          cell.namespace === namespace && cell.role === role && cell.labels.length === 0 && hasBit(bits, place),
      ),
  );
  const addresses = meant.reduce((all, one) => uniteAddresses(all, one.addresses), NO_ADDRESSES);
  return noAddresses(addresses) ? [] : [{ kind: "addresses", addresses }];
}

type Dimension = Extract<Peer, { by: keyof typeof LABEL_OF }>;

const isDimension = (peer: Peer): peer is Dimension => Object.hasOwn(LABEL_OF, peer.by);

/** Whether every Pod of a cell is meant. */
function surelyMeans(peer: Peer, { end, namespace, role, labels }: Cell): boolean {
  if (peer.by === "entity") return peer.name === "any";
  if (peer.by === "namespace") return role === undefined && namespace === peer.name && implies(labels, peer.podLabels);
  return isDimension(peer) && end[peer.by] === peer.name;
}

const implies = (known: LabelSelector, wanted: LabelSelector): boolean => {
  const has = new Set(known.map((one) => JSON.stringify(one)));
  return wanted.every((one) => has.has(JSON.stringify(one)));
};

/** The namespaces of cells, by name. */
const namedBy = (cells: readonly Cell[], bits: Bits): LabelSelector => [isIn(NAME_LABEL, namesOf(cells, bits))];

function namesOf(cells: readonly Cell[], bits: Bits): readonly string[] {
  const names = new Set<string>();
  eachBit(bits, (place) => {
    const name = cells[place]?.namespace;
    if (name !== undefined) names.add(name);
  });
  return [...names].sort();
}

/** Cells one by one; those whose Pods are selected alike share an entry, as do roles of the same namespaces. */
function listed(cells: readonly Cell[], bits: Bits, podsOf: Selecting["podsOf"], each: boolean): readonly Pods[] {
  const roles = new Map<string, Set<string>>();
  const others: Others = new Map();
  const whole = new Set<string>();
  eachBit(bits, (place) => {
    const cell = cells[place];
    if (cell?.role === undefined && cell?.namespace !== undefined && cell.labels.length === 0)
      whole.add(cell.namespace);
  });
  eachBit(bits, (place) => {
    const cell = cells[place];
    if (cell?.namespace === undefined) return;
    if (cell.role !== undefined && !each) addTo(roles, cell.role, cell.namespace);
    else if (cell.role !== undefined || cell.labels.length === 0 || !whole.has(cell.namespace))
      addOther(others, podsOf(cell), cell.namespace);
  });
  return [
    ...byNamespaces(roles),
    ...[...others.values()].map(({ pods, namespaces }) => somePods([...namespaces].sort(), pods)),
  ];
}

const addTo = (map: Map<string, Set<string>>, key: string, value: string): void => {
  const set = map.get(key) ?? new Set<string>();
  set.add(value);
  map.set(key, set);
};

type Others = Map<string, { readonly pods: LabelSelector; readonly namespaces: Set<string> }>;

function addOther(others: Others, pods: LabelSelector, namespace: string): void {
  const key = JSON.stringify(pods);
  const known = others.get(key) ?? { pods, namespaces: new Set() };
  known.namespaces.add(namespace);
  others.set(key, known);
}

const somePods = (namespaces: readonly string[], pods: LabelSelector): Pods => ({
  kind: "pods",
  namespaces: [isIn(NAME_LABEL, namespaces)],
  pods,
});

function byNamespaces(roles: ReadonlyMap<string, ReadonlySet<string>>): readonly Pods[] {
  const groups = new Map<string, { namespaces: readonly string[]; roles: string[] }>();
  for (const [role, names] of roles) {
    const namespaces = [...names].sort();
    const key = namespaces.join();
    const group = groups.get(key) ?? { namespaces, roles: [] };
    group.roles.push(role);
    groups.set(key, group);
  }
  return [...groups.values()].map((group) => somePods(group.namespaces, [isIn(ROLE_LABEL, group.roles.sort())]));
}

/** Every Pod of the cluster but some; namespaces in which Pods without a role are left out are written one by one. */
function allBut(
  cells: readonly Cell[],
  bits: Bits,
  missing: Bits,
  explicit: (bits: Bits) => readonly Pods[],
): readonly Pods[] {
  const last = cells.length - 1;
  if (placesOf(missing).includes(last)) return explicit(bits);
  const gone = placesOf(missing).flatMap((place) => cells[place] ?? []);
  const roles = [...new Set(gone.flatMap(({ role }) => role ?? []))].sort();
  const apart = [
    ...new Set(gone.flatMap(({ role, namespace }) => (role === undefined ? (namespace ?? []) : []))),
  ].sort();
  const inApart = placesWhere(cells, ({ namespace }) => namespace !== undefined && apart.includes(namespace));
  return [
    {
      kind: "pods",
      namespaces: apart.length > 0 ? [notIn(NAME_LABEL, apart)] : [],
      pods: roles.length > 0 ? [notIn(ROLE_LABEL, roles)] : [],
    },
    ...explicit(bits.map((word, index) => word & (inApart[index] ?? 0))),
  ];
}

function placesOf(bits: Bits): readonly number[] {
  const places: number[] = [];
  eachBit(bits, (place) => places.push(place));
  return places;
}
