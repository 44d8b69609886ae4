import { type Catalogue, inForce } from "../../domain/catalogue.ts";
import type { Role, Segment } from "../../domain/definitions.ts";
import { type Finding, finding } from "./finding.ts";
import { satisfiable } from "./overlap.ts";

/** Roles that can match nothing, and segments that nothing can be in. */
export function lintDead(catalogue: Catalogue): readonly Finding[] {
  const used = new Set(catalogue.definitions.roles.map(({ segment }) => segment));
  const unused = catalogue.definitions.segments.filter(({ name }) => !used.has(name));
  return [...catalogue.definitions.roles.flatMap((role) => lintRole(catalogue, role)), ...unused.map(unusedSegment)];
}

const unusedSegment = (segment: Segment): Finding =>
  finding(
    "warning",
    "SEGMENT_UNUSED",
    { kind: "Segment", definition: segment },
    {
      path: "",
      message: `Segment ${segment.name} has no roles.`,
      mend: "Write a WorkloadRole for it, or delete it.",
    },
  );

function lintRole(catalogue: Catalogue, role: Role): readonly Finding[] {
  const segment = catalogue.segments.get(role.segment);
  if (!segment)
    return dead(role, {
      path: "spec.segment",
      message: `There is no segment ${role.segment}.`,
      mend: "Correct the name, or write the Segment.",
    });
  if (!satisfiable(role.match.labels))
    return dead(role, {
      path: "spec.match.podLabels",
      message: "No labels can meet this selector.",
      mend: "Take one of the contradicting lines away.",
    });
  return inForce(role) && inForce(segment) ? lintNamespacesOf(role, segment, ownedBy(catalogue, segment)) : [];
}

const dead = (role: Role, words: Parameters<typeof finding>[3]): readonly Finding[] => [
  finding("error", "ROLE_DEAD", { kind: "WorkloadRole", definition: role }, words),
];

function lintNamespacesOf(role: Role, segment: Segment, owned: ReadonlySet<string>): readonly Finding[] {
  if (owned.size === 0)
    return dead(role, {
      path: "spec.segment",
      message: `Segment ${segment.name} owns no namespace, so that role ${role.name} can be held nowhere.`,
      mend: `Name namespaces in the Segment, or label one signet.dev/segment: ${segment.name}.`,
    });
  const named = role.match.namespaces ?? [];
  const foreign = named.filter((namespace) => !owned.has(namespace));
  if (foreign.length > 0 && foreign.length === named.length)
    return dead(role, {
      path: "spec.match.namespaces",
      message: `None of the namespaces of role ${role.name} belongs to segment ${segment.name}: ${foreign.join(", ")}.`,
      mend: `Namespaces of ${segment.name} are ${[...owned].sort().join(", ")}.`,
    });
  return foreign.map((namespace) =>
    finding(
      "error",
      "REFERENCE_DEAD",
      { kind: "WorkloadRole", definition: role },
      {
        path: `spec.match.namespaces[${named.indexOf(namespace)}]`,
        message: `Namespace ${namespace} does not belong to segment ${segment.name}.`,
        mend: "Take it away, or have the Segment name it.",
      },
    ),
  );
}

const ownedBy = (catalogue: Catalogue, segment: Segment): ReadonlySet<string> =>
  new Set(
    [...catalogue.namespaces.values()].filter(({ segments }) => segments.includes(segment)).map(({ name }) => name),
  );
