import { remembered } from "../../domain/remembered.ts";
import type { PortSpec } from "../../domain/sentences.ts";
import { cidrsOf } from "./blocks.ts";
import { type Doors, type Ground, perSubject, type Subject } from "./doors.ts";
import { subjectName } from "./network-policy.ts";
import type { Opening } from "./opening.ts";
import { metadataOf, type Rendered } from "./rendered.ts";
import { eachBit } from "../reach/bits.ts";

/** The name of the target AuthorizationPolicy as ztunnel enforces it. */
export const ZTUNNEL = "istio-ztunnel";
/** The name of the target AuthorizationPolicy as waypoints enforce it. */
export const WAYPOINT = "istio-waypoint";

type Values = Readonly<Record<string, unknown>>;

/** The service account of a namespace's waypoint, as Istio makes it. */
const WAYPOINT_ACCOUNT = "waypoint";
/** Istio lists ports one by one; a range of more than this many is left closed. */
const MOST_PORTS = 64;

/**
 * AuthorizationPolicies for ztunnel: at the destination only, by identity, port and address. It is never given an L7
 * attribute: it leaves such an ALLOW out, and ignores such a DENY altogether (istio/istio#61126). All of them allow; without
 * a rule an ALLOW policy closes. Only TCP passes it.
 */
export const ztunnelPolicies = (doors: Doors): readonly Rendered[] => [
  ...closedNamespaces(doors.ground),
  ...doors.subjects.flatMap((subject) => atDestination(doors.ground, subject)),
];

const atDestination = perSubject((ground, subject): readonly Rendered[] => {
  const { cell } = subject;
  if (cell.role === undefined) return [];
  const rules = subject.ingress.flatMap((opening) => ruleOf(ground, opening, false));
  return [
    policy(ZTUNNEL, subject, { selector: { matchLabels: { "signet.dev/role": cell.role } }, action: "ALLOW", rules }),
  ];
});

/**
 * AuthorizationPolicies for the waypoint of each namespace, with methods and paths; and beside each one for ztunnel that
 * admits nobody but the waypoint, or whoever addresses the Pod directly would pass by.
 */
export const waypointPolicies = (doors: Doors): readonly Rendered[] => {
  const withData = doors.subjects.filter(
    ({ ingress, cell }) => cell.role !== undefined && ingress.some(({ line }) => line.data?.protocol === "http"),
  );
  return withData.flatMap((subject) => {
    const { cell } = subject;
    const rules = subject.ingress.flatMap((opening) => ruleOf(doors.ground, opening, true));
    const waypoint = `${doors.intent.catalogue.trustDomain}/ns/${cell.namespace ?? ""}/sa/${WAYPOINT_ACCOUNT}`;
    const targetRefs = [{ group: "", kind: "Service", name: cell.role }];
    return [
      policy(WAYPOINT, subject, { targetRefs, action: "ALLOW", rules }, "-l7"),
      policy(
        WAYPOINT,
        subject,
        {
          selector: { matchLabels: { "signet.dev/role": cell.role } },
          action: "ALLOW",
          rules: [{ from: [{ source: { principals: [waypoint] } }] }],
        },
        "-waypoint",
      ),
    ];
  });
};

const closedNamespaces = remembered(({ intent }: Ground): readonly Rendered[] =>
  [...intent.enclosedNamespaces.keys()].sort().map((namespace) => ({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: metadataOf(ZTUNNEL, "signet", namespace, []),
    spec: {},
  })),
);

const policy = (target: string, { cell, ingress }: Subject, spec: Values, suffix = ""): Rendered => ({
  apiVersion: "security.istio.io/v1",
  kind: "AuthorizationPolicy",
  metadata: metadataOf(target, `${subjectName(cell)}${suffix}`, cell.namespace, ingress),
  spec,
});

function ruleOf(ground: Ground, opening: Opening, l7: boolean): readonly Values[] {
  const sources = sourcesOf(ground, opening);
  const ports = portsOf(opening.on);
  if (sources.length === 0 || ports.length === 0) return [];
  const operation = { ...(ports === EVERY_PORT ? {} : { ports }), ...(l7 ? dataOf(opening) : {}) };
  const everyone = opening.parties.some(({ kind }) => kind === "everyone");
  return [
    {
      ...(everyone ? {} : { from: sources }),
      ...(Object.keys(operation).length > 0 ? { to: [{ operation }] } : {}),
    },
  ];
}

function dataOf({ line: { data } }: Opening): Values {
  if (data?.protocol !== "http") return {};
  const { operations, paths } = data;
  return {
    ...(operations ? { methods: operations.map((one) => one.toUpperCase()) } : {}),
    ...(paths ? { paths } : {}),
  };
}

const EVERY_PORT: readonly string[] = ["*"];

/** Ports by number; names, UDP, SCTP and ICMP are no matter of Istio's, and wide ranges stay closed. */
function portsOf(on: readonly PortSpec[]): readonly string[] {
  if (on.some(isEveryTcpPort)) return EVERY_PORT;
  return on.flatMap((spec) => {
    if (spec.protocol !== "tcp" || !("first" in spec) || spec.last - spec.first >= MOST_PORTS) return [];
    return Array.from({ length: spec.last - spec.first + 1 }, (_, index) => String(spec.first + index));
  });
}

const isEveryTcpPort = (spec: PortSpec): boolean =>
  spec.protocol === "any" || (spec.protocol === "tcp" && "first" in spec && spec.first === 1 && spec.last === 65535);

/** Accounts of the roles that are meant, and addresses; Pods that only labels tell apart have no form. */
function sourcesOf(ground: Ground, { cells, parties }: Opening): readonly Values[] {
  const principals = new Set<string>();
  eachBit(cells, (place) => {
    for (const principal of principalsOf(ground, place)) principals.add(principal);
  });
  const blocks = parties.flatMap((party) => (party.kind === "addresses" ? cidrsOf(party.addresses) : []));
  const everyone = parties.some(({ kind }) => kind === "everyone");
  return [
    ...(principals.size > 0 ? [{ source: { principals: [...principals].sort() } }] : []),
    ...(blocks.length > 0 ? [{ source: { ipBlocks: blocks } }] : []),
    ...(everyone && principals.size + blocks.length === 0 ? [{ source: {} }] : []),
  ];
}

/** A role that names no account is held by every account of its namespaces. */
function principalsOf({ cells, intent: { catalogue } }: Ground, place: number): readonly string[] {
  const cell = cells[place];
  const role = cell?.role === undefined ? undefined : catalogue.roles.get(cell.role);
  if (!role || cell?.namespace === undefined) return [];
  const start = `${catalogue.trustDomain}/ns/${cell.namespace}/sa/`;
  return (role.match.serviceAccounts ?? ["*"]).map((account) => `${start}${account}`);
}
