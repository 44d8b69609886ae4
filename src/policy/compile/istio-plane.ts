import type { FlowEnd } from "../../domain/flow.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import type { Passing } from "../evaluate/passing.ts";
import { at, type Field, items, newNotes, optionalText, present, textMap } from "../foreign/field.ts";
import { EVERY_PASSAGE, passageKey, type PassageSet } from "../intent/passages.ts";
import { type Endpoint, type Inside, isInside } from "../model/endpoint.ts";
import {
  type AddressSet,
  includesAddresses,
  NO_ADDRESSES,
  parseCidr,
  setOf,
  uniteAddresses,
} from "../sets/address-set.ts";
import { subtract, unite, uniteAll } from "../sets/intervals.ts";
import { remembered } from "../../domain/remembered.ts";
import { ROLE_LABEL } from "../../domain/reserved-keys.ts";
import { noBits, placesWhere, setBit } from "../reach/bits.ts";
import type { Guard, Plane } from "./plane.ts";
import type { Rendered } from "./rendered.ts";

/** One AuthorizationPolicy that allows, as ztunnel sees it. */
type Allow = { readonly namespace: string; readonly role?: string; readonly rules: readonly Rule[] };

/** Callers, by identity or by address, and the ports that are open to them. */
type Rule = { readonly sources: readonly Source[] | "anyone"; readonly ports: PassageSet };

type Source = { readonly addresses: AddressSet } | { readonly principals: readonly string[] };

/**
 * ztunnel under AuthorizationPolicies: asked at the destination, for TCP; where no policy selects it everything passes. It
 * knows callers by service account, so two roles of one account are one to it; UDP and all else pass it by.
 */
export function istioPlane(objects: readonly Rendered[]): Plane {
  const allows = objects.flatMap((object) => allowIn(object));
  const byNamespace = Map.groupBy(allows, ({ namespace }) => namespace);
  const asked = remembered((endpoint: Endpoint): readonly Allow[] =>
    isInside(endpoint)
      ? (byNamespace.get(endpoint.traits.namespace) ?? []).filter((allow) => isAsked(allow, endpoint))
      : [],
  );
  return {
    keyOf: ({ end, endpoint }) => JSON.stringify([identityOf(end), placeText(endpoint)]),
    admits: (from, to) => {
      const all = asked(to.endpoint);
      return all.length === 0 ? EVERY_PASSAGE : unite(NOT_TCP, uniteAll(all.flatMap((allow) => openTo(allow, from))));
    },
    over: (ends) => overAll(ends, asked),
    guards: objects.flatMap((object) => guardsIn(object)),
  };
}

const placeText = (endpoint: Endpoint): unknown =>
  isInside(endpoint)
    ? [endpoint.traits.namespace, endpoint.traits.labels[ROLE_LABEL], isUnseen(endpoint)]
    : endpoint.text;

/** Who stands on the host network, or is a virtual machine, has no ztunnel before it. */
const isUnseen = ({ traits }: Inside): boolean => traits.host !== undefined || traits.virtualMachine;

const isAsked = ({ namespace, role }: Allow, endpoint: Inside): boolean =>
  !isUnseen(endpoint) &&
  namespace === endpoint.traits.namespace &&
  (role === undefined || endpoint.traits.labels[ROLE_LABEL] === role);

/** Policies for waypoints are not asked by ztunnel. */
const allowIn = remembered(({ metadata, spec }: Rendered): readonly Allow[] => {
  const root: Field = { value: spec, path: [], notes: newNotes() };
  if (present(at(root, "targetRefs"))) return [];
  const role = textMap(at(root, "selector", "matchLabels"))[ROLE_LABEL];
  const rules = items(at(root, "rules")).map(ruleIn);
  return [{ namespace: metadata.namespace ?? "", ...(role === undefined ? {} : { role }), rules }];
});

function guardsIn(object: Rendered): readonly Guard[] {
  const text = JSON.stringify([object.metadata.namespace, object.spec]);
  return allowIn(object).map((allow) => ({
    text,
    isAt: ({ endpoint }, direction) => direction === "ingress" && isInside(endpoint) && isAsked(allow, endpoint),
  }));
}

const ruleIn = (rule: Field): Rule => {
  const sources = items(at(rule, "from"));
  return { sources: sources.length === 0 ? "anyone" : sources.map(sourceIn), ports: portsIn(rule) };
};

function sourceIn(source: Field): Source {
  const blocks = items(at(source, "source", "ipBlocks")).flatMap((one) => parseCidr(optionalText(one) ?? "") ?? []);
  if (blocks.length > 0) return { addresses: blocks.map(setOf).reduce(uniteAddresses, NO_ADDRESSES) };
  return { principals: items(at(source, "source", "principals")).map((one) => optionalText(one) ?? "") };
}

const TCP: PassageSet = [passageKey({ protocol: "tcp", port: 1 }), passageKey({ protocol: "tcp", port: 65535 }) + 1];
const NOT_TCP = subtract(EVERY_PASSAGE, TCP);

const openTo = ({ rules }: Allow, from: EffectiveEnd): readonly PassageSet[] =>
  rules.filter((rule) => meansSource(rule, from)).map(({ ports }) => ports);

const identityOf = (end: FlowEnd): string | undefined => (end.kind === "node" ? undefined : end.identity);

const meansSource = ({ sources }: Rule, from: EffectiveEnd): boolean =>
  sources === "anyone" || sources.some((source) => isFrom(source, from));

function isFrom(source: Source, { end, endpoint }: EffectiveEnd): boolean {
  if ("addresses" in source)
    return endpoint.kind === "outside" && includesAddresses(source.addresses, endpoint.addresses);
  const known = identityOf(end)?.replace("spiffe://", "");
  return source.principals.some((one) => (one.endsWith("*") ? known?.startsWith(one.slice(0, -1)) : known === one));
}

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

/** All but TCP passes between all; beside that a destination's sort is what it opens to anyone. */
function overAll(ends: readonly EffectiveEnd[], asked: (endpoint: Endpoint) => readonly Allow[]): Passing {
  const touched = ends.map(() => noBits(ends.length));
  const meant = meantAmong(ends);
  const sorts = ends.map(({ endpoint }, to) => {
    const all = asked(endpoint).flatMap(({ rules }) => rules);
    for (const rule of all) for (const from of meant(rule)) setBit(touched[from] ?? noBits(ends.length), to);
    const open = all.flatMap(({ sources, ports }) => (sources === "anyone" ? [ports] : []));
    return asked(endpoint).length === 0 ? "free" : uniteAll(open).join();
  });
  const everyone = placesWhere(ends, () => true);
  return { rows: ends.map(() => everyone), sorts, touched };
}

/** The callers that a rule names. */
function meantAmong(ends: readonly EffectiveEnd[]): (rule: Rule) => readonly number[] {
  const places = [...ends.keys()];
  const byIdentity = Map.groupBy(places, (place) => identityOf(ends[place]?.end ?? NOBODY)?.replace("spiffe://", ""));
  const tried = (source: Source): readonly number[] =>
    ends.flatMap((end, place) => (isFrom(source, end) ? [place] : []));
  const named = (source: Source): readonly number[] =>
    "addresses" in source || source.principals.some((one) => one.endsWith("*"))
      ? tried(source)
      : source.principals.flatMap((one) => byIdentity.get(one) ?? []);
  return remembered(({ sources }: Rule) => (sources === "anyone" ? [] : sources.flatMap(named)));
}

const NOBODY: FlowEnd = { kind: "node" };
