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
  finding("warning", "SEGMENT_UNUSED", "Segment", segment, {
    path: "",
    message: `Segment ${segment.name} has no roles.`,
    mend: "Write a WorkloadRole for it, or delete it.",
  });

function lintRole(catalogue: Catalogue, role: Role): readonly Finding[] {
  const dead = (path: string, message: string, mend: string): readonly Finding[] => [
    finding("error", "ROLE_DEAD", "WorkloadRole", role, { path, message, mend }),
  ];
  const segment = catalogue.segments.get(role.segment);
  if (!segment)
    return dead("spec.segment", `There is no segment ${role.segment}.`, "Correct the name, or write the Segment.");
  if (!satisfiable(role.match.labels))
    return dead(
      "spec.match.podLabels",
      "No labels can meet this selector.",
      "Take one of the contradicting lines away.",
    );
  if (!inForce(role) || !inForce(segment)) return [];
  const owned = ownedBy(catalogue, segment);
  if (owned.size === 0)
    return dead(
      "spec.segment",
      `Segment ${segment.name} owns no namespace, so that role ${role.name} can be held nowhere.`,
      `Name namespaces in the Segment, or label one signet.dev/segment: ${segment.name}.`,
    );
  const named = role.match.namespaces ?? [];
  const foreign = named.filter((namespace) => !owned.has(namespace));
  if (foreign.length === 0) return [];
  if (foreign.length === named.length)
    return dead(
      "spec.match.namespaces",
      `None of the namespaces of role ${role.name} belongs to segment ${segment.name}: ${foreign.join(", ")}.`,
      `Namespaces of ${segment.name} are ${[...owned].sort().join(", ")}.`,
    );
  return foreign.map((namespace) =>
    finding("error", "REFERENCE_DEAD", "WorkloadRole", role, {
      path: `spec.match.namespaces[${named.indexOf(namespace)}]`,
      message: `Namespace ${namespace} does not belong to segment ${segment.name}.`,
      mend: "Take it away, or have the Segment name it.",
    }),
  );
}

const ownedBy = (catalogue: Catalogue, segment: Segment): ReadonlySet<string> =>
  new Set(
    [...catalogue.namespaces.values()].filter(({ segments }) => segments.includes(segment)).map(({ name }) => name),
  );
