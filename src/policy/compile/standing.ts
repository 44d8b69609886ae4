import { rolesOfIdentity } from "../../domain/catalogue.ts";
import type { Role } from "../../domain/definitions.ts";
import type { LossCode } from "../../domain/loss-codes.ts";
import { isActive } from "../../domain/sentences.ts";
import type { Intent } from "../intent/intent.ts";
import { type Line, rulingText } from "../intent/line.ts";
import { DIRECTIONS } from "../model/policy.ts";
import type { Unevaluated } from "../model/world.ts";
import { type AddressSet, meet, noAddresses, parseCidr, setOf, uniteAddresses } from "../sets/address-set.ts";
import type { Order } from "./compile.ts";
import { holdsRoles } from "./cells.ts";
import type { Doors } from "./doors.ts";
import type { Effect, Loss } from "./loss.ts";
import type { Opening } from "./opening.ts";
import { POSTGRES } from "./postgres.ts";
import { refusalsOf } from "./refusals.ts";
import { splitRefusals, unranked } from "./tiered.ts";
import type { TargetName } from "./targets.ts";

/** Which data a target looks at. */
const READS: Readonly<Partial<Record<TargetName, readonly string[]>>> = {
  ciliumnetworkpolicy: ["http", "dns"],
  "istio-waypoint": ["http"],
  postgres: ["postgres"],
};

/** Targets that drop a line by themselves at its end. */
const KEEPS_TIME: ReadonlySet<TargetName> = new Set<TargetName>(["nftables"]);

/** What is lost of lines by what they are, whoever stands at their ends: data, and ends that somebody must watch. */
export function standingLosses(order: Order, doors: Doors): readonly Loss[] {
  const { intent, targets, now } = order;
  const lines = intent.lines.filter(({ expires }) => expires === undefined || expires > now);
  const written = targets.flatMap((target) =>
    lines.flatMap((line): readonly Loss[] => [
      ...(isBlind(target, line) ? [lossOf(target, line, "L7_UNENFORCED", "unenforced")] : []),
      ...(KEEPS_TIME.has(target) || (line.expires ?? line.notBefore) === undefined
        ? []
        : [lossOf(target, line, "EXPIRY_BY_CONTROLLER", "exact")]),
      ...(target === "postgres" && line.data?.protocol === "postgres" ? databaseLosses(order, line) : []),
    ]),
  );
  return [...written, ...targets.flatMap((target) => ofTarget(order, doors, target)), ...mayBePods(order, doors)];
}

/** What PostgreSQL makes of certificates: it reads their subject, and knows accounts only. */
function databaseLosses({ intent: { catalogue } }: Order, line: Line): readonly Loss[] {
  const callers = [...catalogue.roles.values()].filter(({ name, segment }) =>
    line.from.by === "role" ? line.from.name === name : line.from.by === "segment" && line.from.name === segment,
  );
  const views = [...catalogue.namespaces.values()];
  const shares = ({ name, match }: Role): boolean =>
    views.some(
      (view) =>
        view.roles.some((one) => one.name === name) &&
        (match.serviceAccounts ?? []).some((account) => rolesOfIdentity(view, account).length > 1),
    );
  return [
    ...(callers.some(({ subject }) => subject !== "account")
      ? [lossOf(POSTGRES, line, "SUBJECT_EMPTY", "narrower")]
      : []),
    ...(callers.some(shares) ? [lossOf(POSTGRES, line, "IDENTITY_SHARED", "wider")] : []),
  ];
}

/** Targets that tell Pods apart by their stamp. */
const BY_LABEL: ReadonlySet<TargetName> = new Set<TargetName>([
  "networkpolicy",
  "clusternetworkpolicy",
  "adminnetworkpolicy",
  "baselineadminnetworkpolicy",
  "ciliumnetworkpolicy",
  "multinetworkpolicy",
]);

/** Targets of which some implementation leaves connections that stand alone. */
const KEEPS_CONNECTIONS: ReadonlySet<TargetName> = new Set<TargetName>([
  "networkpolicy",
  "clusternetworkpolicy",
  "adminnetworkpolicy",
  "nftables",
]);

/**
 * What may outlive the rule that let it pass: whole connections that stand, or what the called end sends in them. Cilium asks
 * its policies about each packet of a connection that stands, but for replies (cilium, bpf/bpf_lxc.c: `CT_REPLY`).
 */
export function outlives(targets: readonly TargetName[]): "connections" | "replies" | undefined {
  if (targets.includes("ciliumnetworkpolicy")) return "replies";
  return targets.some((target) => KEEPS_CONNECTIONS.has(target)) ? "connections" : undefined;
}

/** What a target loses of every line, or of those that end, or of what its kinds hold. */
function ofTarget({ intent, site, targets, now }: Order, doors: Doors, target: TargetName): readonly Loss[] {
  const whole = (code: LossCode, rule: string, effect: Effect = "exact"): Loss => ({
    ...NOBODY,
    target,
    code,
    effect,
    rule,
  });
  const ending = intent.lines.filter((line) => line.expires !== undefined && isActive(line, now));
  const split = new Set(
    splitRefusals(target, doors).map(({ ruling: { object, path } }) => rulingText({ object, path })),
  );
  const uncovered =
    targets.includes("multinetworkpolicy") || !BY_LABEL.has(target) ? [] : secondary(intent, site.networks);
  return [
    ...(BY_LABEL.has(target)
      ? [whole("IDENTITY_AS_LABEL", "every line"), whole("STARTUP_WINDOW", "every Pod that starts")]
      : []),
    ...(KEEPS_CONNECTIONS.has(target)
      ? ending.map((line) => lossOf(target, line, "ESTABLISHED_SURVIVES", "exact"))
      : []),
    ...[...split].sort().map((rule) => whole("LIMIT_SPLIT", rule)),
    ...uncovered.map((namespace) =>
      whole("SECONDARY_NIC_UNCOVERED", `default deny: namespace ${namespace}`, "unenforced"),
    ),
  ];
}

const NOBODY = { workloads: [], residual: [] } as const;

/** Enclosed namespaces that have secondary networks. */
const secondary = (intent: Intent, networks: Order["site"]["networks"]): readonly string[] =>
  [...new Set(networks.map(({ namespace }) => namespace))].filter((name) => intent.enclosedNamespaces.has(name)).sort();

/** Denials for which a target has no priority left: they are not written, and block. */
export const exhausted = ({ targets }: Order, doors: Doors): readonly Loss[] =>
  targets.flatMap((target) =>
    [...new Set(unranked(target, doors))]
      .sort()
      .map((rule): Loss => ({ ...NOBODY, target, code: "PRIORITY_EXHAUSTED", effect: "wider", rule })),
  );

/** Lines whose HTTP a waypoint looks at, while ztunnel is told to let the same callers through directly: they block. */
export const passedBy = ({ intent, targets, now }: Order): readonly Loss[] =>
  targets.includes("istio-waypoint") && targets.includes("istio-ztunnel")
    ? intent.lines
        .filter((line) => line.data?.protocol === "http" && isActive(line, now))
        .map((line) => lossOf("istio-ztunnel+istio-waypoint", line, "WAYPOINT_BYPASS", "wider"))
    : [];

const isBlind = (target: TargetName, { data }: Line): boolean =>
  data !== undefined && !(READS[target] ?? []).includes(data.protocol);

const lossOf = (target: string, { object, path }: Line, code: LossCode, effect: Effect): Loss => ({
  target,
  code,
  effect,
  rule: rulingText({ object, path }),
  workloads: [],
  residual: [],
});

/** Lines that demand that their data is looked at, and of which no target does so: they block. */
export const unreadData = ({ intent, targets, now }: Order): readonly Loss[] =>
  intent.lines
    .filter((line) => line.data?.required === true && isActive(line, now))
    .filter((line) => targets.every((target) => isBlind(target, line)))
    .map((line) => lossOf(targets.join("+"), line, "L7_UNENFORCED", "unenforced"));

/** Policies that cannot be judged, at doors that something of ours closes: they block, as nobody knows what they open. */
export function unread(
  { intent, targets, unevaluated = [] }: Order,
  { ground, subjects, site }: Doors,
): readonly Loss[] {
  const closed = new Set([
    ...intent.enclosedNamespaces.keys(),
    ...subjects.map(({ cell }) => cell.namespace),
    ...(site.quarantined ?? []).map(({ namespace }) => namespace),
  ]);
  const inPlay = ({ plane, namespace }: Unevaluated): boolean => {
    // ztunnel stands before the Pod network, not beside it: what it lets through comes to the next door.
    if (plane === "istio" && targets.some((target) => BY_LABEL.has(target))) return false;
    if (namespace === undefined || closed.has(namespace)) return closed.size > 0 || refusalsOf(ground).length > 0;
    // Calico has tiers before those that denials of ours are in.
    return (
      plane === "calico" && refusalsOf(ground).length > 0 && holdsRoles(intent.catalogue.namespaces.get(namespace))
    );
  };
  const rules = new Set(unevaluated.filter(inPlay).map(({ text }) => text));
  const base = { ...NOBODY, target: targets.join("+"), code: "FOREIGN_UNREAD", effect: "wider" } as const;
  return [...rules].sort().map((rule): Loss => ({ ...base, rule }));
}

/** Addresses that Pods and machines may have where nobody says which: RFC 1918, RFC 6598, RFC 4193. */
const PRIVATE: AddressSet = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"]
  .flatMap((text) => parseCidr(text) ?? [])
  .map(setOf)
  .reduce(uniteAddresses);

/** Lines that open ranges in which Pods may be, where the Pod networks are not known. */
export function mayBePods({ site, targets }: Order, doors: Doors): readonly Loss[] {
  if (!noAddresses(site.podNetworks)) return [];
  const rules = new Set(
    doors.subjects
      .flatMap((subject) => DIRECTIONS.flatMap((direction) => subject[direction]))
      .filter(opensPrivate)
      .map(({ line: { object, path } }) => rulingText({ object, path })),
  );
  return [...rules].sort().map((rule) => ({
    target: targets.join("+"),
    code: "ADDRESS_MAY_BE_POD",
    effect: "wider",
    rule,
    workloads: [],
    residual: [],
  }));
}

const opensPrivate = ({ parties }: Opening): boolean =>
  parties.some((party) => party.kind === "addresses" && meet(party.addresses, PRIVATE));
