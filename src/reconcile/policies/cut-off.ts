import { MULTI_NETWORK_POLICY, onNetworks } from "../../policy/compile/multi-network-policy.ts";
import { closingMarked, NETWORK_POLICY, UNMARKED } from "../../policy/compile/network-policy.ts";
import { canonical, withSpec } from "../../policy/compile/published.ts";
import type { Rendered } from "../../policy/compile/rendered.ts";
import { eachBit } from "../../policy/reach/bits.ts";
import { isRaw, type Raw, rawAt } from "../../wire/read-object.ts";
import type { Published } from "./cluster.ts";
import { objectKey } from "./order.ts";

/**
 * What stands, and whoever is under quarantine cut off besides: for when nothing else may be published. NetworkPolicies let
 * go of what is marked, one closes it, and what denies, or opens nothing, is taken from what was compiled.
 */
export function cutOffOnly(published: Published): readonly Rendered[] {
  const namespaces = quarantinedNamespaces(published);
  const isPolicyThere = (target: string, { metadata }: Rendered): boolean =>
    (target === NETWORK_POLICY || target === MULTI_NETWORK_POLICY) && namespaces.has(metadata.namespace ?? "");
  const standing = published.ours.map(({ target, object }) =>
    isPolicyThere(target, object) && !isClosing(object) ? lettingGo(object) : object,
  );
  const { targets, site } = published.order;
  const closed = [...namespaces].sort().map((name) => closingMarked(name, []));
  const added = [
    ...(targets.includes(NETWORK_POLICY) ? closed : []),
    ...(targets.includes(MULTI_NETWORK_POLICY) ? onNetworks(site, closed) : []),
  ];
  const closing = [...published.compilation.compiled.values()].flat().filter(closesOnly);
  return [...new Map([...standing, ...added, ...closing].map((object) => [objectKey(object), object])).values()];
}

/** Where Pods are under quarantine, or would be. */
function quarantinedNamespaces({ compilation: { doors } }: Published): ReadonlySet<string> {
  const names = new Set((doors.site.quarantined ?? []).map(({ namespace }) => namespace));
  eachBit(doors.cut, (place) => {
    const namespace = doors.cells[place]?.namespace;
    if (namespace !== undefined) names.add(namespace);
  });
  return names;
}

const isClosing = ({ metadata: { name } }: Rendered): boolean => /^signet-quarantine(?:-\d+)?$/.test(name);

/** Denials of a quarantine; and an AuthorizationPolicy without rules, which lets nobody through. */
const closesOnly = (object: Rendered): boolean =>
  isClosing(object) || (object.kind === "AuthorizationPolicy" && canonical(rawOf(object.spec)["rules"] ?? []) === "[]");

/** A NetworkPolicy without the Pods that are marked. */
function lettingGo(object: Rendered): Rendered {
  const spec = rawOf(object.spec);
  const podSelector = rawAt(spec, "podSelector");
  const { matchExpressions } = podSelector;
  const others: readonly unknown[] = Array.isArray(matchExpressions) ? matchExpressions : [];
  if (others.some((one) => canonical(one) === canonical(UNMARKED))) return object;
  return withSpec(object, { ...spec, podSelector: { ...podSelector, matchExpressions: [...others, UNMARKED] } });
}

const rawOf = (spec: unknown): Raw => (isRaw(spec) ? spec : {});
