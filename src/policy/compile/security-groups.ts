import type { PortSpec } from "../../domain/sentences.ts";
import { DIRECTIONS, type Direction } from "../model/policy.ts";
import { eachBit, isEmpty } from "../reach/bits.ts";
import { cidrsOf } from "./blocks.ts";
import type { Doors, Subject } from "./doors.ts";
import type { Opening } from "./opening.ts";
import { metadataOf, type Rendered } from "./rendered.ts";

/** The name of the target cloud security groups, as data for whoever applies them. */
export const SECURITY_GROUPS = "securitygroups";

/** One rule of a security group: a group or a CIDR at the far end. Ports are both included; -1 is every protocol. */
type GroupRule = {
  readonly protocol: string;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly group?: string;
  readonly cidr?: string;
  readonly description: string;
};

/**
 * One security group for each role of machines and functions, with rules between groups. Security groups only allow and
 * know no order: denials are taken out of the rules already.
 */
export const securityGroups = (doors: Doors): readonly Rendered[] => {
  const roles = new Set(doors.site.machines.flatMap(({ role }) => role ?? []));
  return doors.subjects
    .filter(({ cell }) => cell.role !== undefined && roles.has(cell.role) && cell.labels.length === 0)
    .map((subject) => ({
      apiVersion: "cloud.signet.dev/v1",
      kind: "SecurityGroup",
      metadata: metadataOf(SECURITY_GROUPS, groupName(subject.cell.role ?? ""), subject.cell.namespace, [
        ...subject.ingress,
        ...subject.egress,
      ]),
      spec: Object.fromEntries(DIRECTIONS.map((direction) => [direction, rulesOf(doors, subject, direction)])),
    }));
};

const groupName = (role: string): string => `signet-${role}`;

const rulesOf = (doors: Doors, subject: Subject, direction: Direction): readonly GroupRule[] =>
  subject[direction].flatMap((opening) =>
    peersOf(doors, opening).flatMap((peer) =>
      opening.on
        .flatMap(portsOf)
        .map((ports) => ({ ...ports, ...peer, description: `${opening.line.object}, ${opening.line.path}` })),
    ),
  );

function peersOf(
  { cells, site }: Doors,
  { cells: bits, parties }: Opening,
): readonly Pick<GroupRule, "group" | "cidr">[] {
  const holders = new Set(site.machines.flatMap(({ role }) => role ?? []));
  const groups = new Set<string>();
  eachBit(bits, (place) => {
    const role = cells[place]?.role;
    if (role !== undefined && holders.has(role)) groups.add(groupName(role));
  });
  // Machines among the workloads are in their groups already; only the outside is written as addresses.
  const outside = isEmpty(bits) ? parties : parties.filter(({ kind }) => kind === "everyone");
  const addresses = outside.flatMap((party) =>
    party.kind === "addresses" ? cidrsOf(party.addresses) : party.kind === "everyone" ? ["0.0.0.0/0", "::/0"] : [],
  );
  return [...[...groups].sort().map((group) => ({ group })), ...addresses.map((cidr) => ({ cidr }))];
}

function portsOf(spec: PortSpec): readonly Pick<GroupRule, "protocol" | "fromPort" | "toPort">[] {
  if (spec.protocol === "any") return [{ protocol: "-1" }];
  if ("portName" in spec || spec.protocol === "sctp") return [];
  if (!("first" in spec)) return [{ protocol: spec.protocol, fromPort: spec.type ?? -1, toPort: -1 }];
  return [{ protocol: spec.protocol, fromPort: spec.first, toPort: spec.last }];
}
