import type { FlowEnd } from "../../domain/flow.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import { at, type Field, items, newNotes, optionalText, present, textMap } from "../foreign/field.ts";
import { EVERY_PASSAGE, passageKey, type PassageSet } from "../intent/passages.ts";
import { isInside } from "../model/endpoint.ts";
import { selectsPod } from "../evaluate/match.ts";
import {
  type AddressSet,
  includesAddresses,
  NO_ADDRESSES,
  parseCidr,
  setOf,
  uniteAddresses,
} from "../sets/address-set.ts";
import { subtract, unite, uniteAll } from "../sets/intervals.ts";
import { ROLE_LABEL } from "../../domain/reserved-keys.ts";
import { placesWhere } from "../reach/bits.ts";
import type { Plane } from "./plane.ts";
import type { Rendered } from "./rendered.ts";

/** One AuthorizationPolicy that allows, as ztunnel sees it. */
type Allow = { readonly namespace: string; readonly role?: string; readonly rules: readonly Field[] };

/**
 * ztunnel under AuthorizationPolicies: asked at the destination, for TCP; where no policy selects it everything passes. It
 * knows callers by service account, so two roles of one account are one to it; UDP and all else pass it by.
 */
export function istioPlane(objects: readonly Rendered[]): Plane {
  const allows = objects.flatMap(allowIn);
  return {
    keyOf: ({ end, endpoint }) =>
      JSON.stringify([
        identityOf(end),
        isInside(endpoint) ? [endpoint.traits.namespace, endpoint.traits.labels[ROLE_LABEL]] : endpoint.text,
      ]),
    admits: (from, to) => admitted(allows, from, to),
    mayAdmit: (ends) => ends.map(() => placesWhere(ends, () => true)),
  };
}

/** Policies for waypoints are not asked by ztunnel. */
function allowIn({ metadata, spec }: Rendered): readonly Allow[] {
  const root: Field = { value: spec, path: [], notes: newNotes() };
  if (present(at(root, "targetRefs"))) return [];
  const role = textMap(at(root, "selector", "matchLabels"))[ROLE_LABEL];
  return [
    { namespace: metadata.namespace ?? "", ...(role === undefined ? {} : { role }), rules: items(at(root, "rules")) },
  ];
}

const TCP: PassageSet = [passageKey({ protocol: "tcp", port: 1 }), passageKey({ protocol: "tcp", port: 65535 }) + 1];
const NOT_TCP = subtract(EVERY_PASSAGE, TCP);

function admitted(allows: readonly Allow[], from: EffectiveEnd, to: EffectiveEnd): PassageSet {
  const { endpoint } = to;
  if (!isInside(endpoint) || endpoint.traits.host || endpoint.traits.virtualMachine) return EVERY_PASSAGE;
  const asked = allows.filter(
    ({ namespace, role }) =>
      selectsPod({ namespaces: { name: namespace }, pods: [] }, endpoint.traits) &&
      (role === undefined || endpoint.traits.labels[ROLE_LABEL] === role),
  );
  if (asked.length === 0) return EVERY_PASSAGE;
  const open = asked.flatMap(({ rules }) => rules.filter((rule) => meansSource(rule, from)).map(portsIn));
  return unite(NOT_TCP, uniteAll(open));
}

const identityOf = (end: FlowEnd): string | undefined => (end.kind === "node" ? undefined : end.identity);

function meansSource(rule: Field, from: EffectiveEnd): boolean {
  const sources = items(at(rule, "from"));
  if (sources.length === 0) return true;
  return sources.some((source) => {
    const principals = items(at(source, "source", "principals")).map((one) => optionalText(one) ?? "");
    const blocks = items(at(source, "source", "ipBlocks")).flatMap((one) => parseCidr(optionalText(one) ?? "") ?? []);
    if (blocks.length > 0)
      return from.endpoint.kind === "outside" && includesAddresses(blocksIn(blocks), from.endpoint.addresses);
    const known = identityOf(from.end)?.replace("spiffe://", "");
    return principals.some((one) => (one.endsWith("*") ? known?.startsWith(one.slice(0, -1)) : known === one));
  });
}

const blocksIn = (blocks: readonly Parameters<typeof setOf>[0][]): AddressSet =>
  blocks.map(setOf).reduce(uniteAddresses, NO_ADDRESSES);

function portsIn(rule: Field): PassageSet {
  const operations = items(at(rule, "to"));
  if (operations.length === 0) return TCP;
  return uniteAll(
    operations.flatMap((entry) =>
      items(at(entry, "operation", "ports")).map((port): PassageSet => {
        const key = passageKey({ protocol: "tcp", port: Number(optionalText(port)) });
        return [key, key + 1];
      }),
    ),
  );
}
