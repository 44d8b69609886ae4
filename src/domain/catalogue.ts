import type {
  Approval,
  Exception,
  ExternalWorkload,
  Namespace,
  Restriction,
  Role,
  Segment,
  TrustDomain,
} from "./definitions.ts";
import type { Guardrail, SegmentPolicy } from "./sentences.ts";

/** Everything a catalogue is made of, as read from a folder or from an API server. */
export type Definitions = {
  readonly trustDomain?: TrustDomain;
  /** Those that we federate with. */
  readonly foreignDomains?: readonly TrustDomain[];
  readonly segments: readonly Segment[];
  readonly roles: readonly Role[];
  readonly namespaces: readonly Namespace[];
  readonly exceptions: readonly Exception[];
  readonly policies: readonly SegmentPolicy[];
  readonly guardrails: readonly Guardrail[];
  readonly externalWorkloads: readonly ExternalWorkload[];
  readonly restrictions: readonly Restriction[];
};

/** What is known of one namespace, so that a verdict doesn't scan. */
export type NamespaceView = {
  readonly name: string;
  readonly enrolled: boolean;
  /** Segments that own it, by name or by the guarded label. */
  readonly segments: readonly Segment[];
  /** Roles whose match can cover it, in order of name. */
  readonly roles: readonly Role[];
  readonly rolesByAccount: ReadonlyMap<string, readonly Role[]>;
  /** Roles that name no service account; they cover every one but `default`. */
  readonly rolesOfAnyAccount: readonly Role[];
};

/** One frozen snapshot of everything known, with indexes. `revision` is a digest of its contents. */
export type Catalogue = {
  readonly revision: string;
  readonly definitions: Definitions;
  readonly trustDomain: string;
  readonly segments: ReadonlyMap<string, Segment>;
  readonly roles: ReadonlyMap<string, Role>;
  readonly namespaces: ReadonlyMap<string, NamespaceView>;
  /** By NAMESPACE/NAME; several where more than one is granted by signature under one name. */
  readonly exceptions: ReadonlyMap<string, readonly Exception[]>;
};

/** The trust domain of a catalogue that defines none; the name that Kubernetes clusters have by default. */
export const DEFAULT_TRUST_DOMAIN = "cluster.local";

/** Builds the snapshot: who owns which namespace, and which roles can be held there. Linear in roles × their namespaces. */
export function makeCatalogue(definitions: Definitions, revision: string): Catalogue {
  const segments = byName(definitions.segments);
  const roles = byName(definitions.roles.filter(inForce));
  const grants = namespaceGrants(definitions);
  const held = rolesByNamespace([...roles.values()], grants);
  const names = new Set([...grants.keys(), ...definitions.namespaces.map((namespace) => namespace.name)]);
  const enrolled = new Set(definitions.namespaces.filter((each) => each.enrolled).map((each) => each.name));
  const namespaces = new Map<string, NamespaceView>();
  for (const name of names)
    namespaces.set(name, namespaceView(name, enrolled.has(name), grants.get(name) ?? [], held.get(name) ?? []));
  return Object.freeze({
    revision,
    definitions,
    trustDomain: definitions.trustDomain?.domain ?? DEFAULT_TRUST_DOMAIN,
    segments,
    roles,
    namespaces,
    exceptions: Map.groupBy(definitions.exceptions, ({ namespace, name }) => `${namespace}/${name}`),
  });
}

/** A definition that a server holds without any approved generation grants nothing yet, nor does one that lacks its signature. */
export const inForce = ({ approval }: { readonly approval: { readonly state: Approval["state"] } }): boolean =>
  approval.state === "approved" || approval.state === "unchecked";

const byName = <T extends { readonly name: string }>(items: readonly T[]): ReadonlyMap<string, T> =>
  new Map([...items].sort((a, b) => (a.name < b.name ? -1 : 1)).map((item) => [item.name, item]));

/** Namespace name → the segments that own it. */
function namespaceGrants(definitions: Definitions): Map<string, Segment[]> {
  const live = new Map(definitions.namespaces.map((namespace) => [namespace.name, namespace]));
  const grants = new Map<string, Segment[]>();
  const grant = (namespace: string, segment: Segment): void => {
    const owners = grants.get(namespace) ?? [];
    if (!owners.includes(segment)) grants.set(namespace, [...owners, segment]);
  };
  for (const segment of definitions.segments.filter(inForce)) {
    for (const name of segment.namespaces) if (sameNamespace(segment, live.get(name))) grant(name, segment);
    for (const namespace of live.values()) if (namespace.segment === segment.name) grant(namespace.name, segment);
  }
  return grants;
}

/** A namespace made anew under an approved name has another UID, and waits for approval. */
function sameNamespace(segment: Segment, namespace: Namespace | undefined): boolean {
  const approved = namespace && segment.namespaceUids[namespace.name];
  return approved === undefined || namespace?.uid === undefined || approved === namespace.uid;
}

function rolesByNamespace(roles: readonly Role[], grants: ReadonlyMap<string, readonly Segment[]>) {
  const owned = new Map<string, string[]>();
  for (const [namespace, segments] of grants) for (const segment of segments) push(owned, segment.name, namespace);
  const held = new Map<string, Role[]>();
  for (const role of roles)
    for (const namespace of owned.get(role.segment) ?? []) if (covers(role, namespace)) push(held, namespace, role);
  return held;
}

const covers = ({ match }: Role, namespace: string): boolean => match.namespaces?.includes(namespace) ?? true;

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

function namespaceView(
  name: string,
  enrolled: boolean,
  segments: readonly Segment[],
  roles: readonly Role[],
): NamespaceView {
  const rolesByAccount = new Map<string, Role[]>();
  for (const role of roles)
    for (const account of new Set(role.match.serviceAccounts ?? [])) push(rolesByAccount, account, role);
  const rolesOfAnyAccount = roles.filter((role) => role.match.serviceAccounts === undefined);
  return { name, enrolled, segments, roles, rolesByAccount, rolesOfAnyAccount };
}

/** The roles whose match can cover this identity, labels, kind and creator left aside; in order of name. */
export function rolesOfIdentity(view: NamespaceView, serviceAccount: string): readonly Role[] {
  const named = view.rolesByAccount.get(serviceAccount) ?? [];
  if (serviceAccount === "default" || view.rolesOfAnyAccount.length === 0) return named;
  return [...named, ...view.rolesOfAnyAccount].sort((a, b) => (a.name < b.name ? -1 : 1));
}
