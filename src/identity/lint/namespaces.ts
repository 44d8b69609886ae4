import type { Catalogue, NamespaceView } from "../../domain/catalogue.ts";
import type { Segment } from "../../domain/definitions.ts";
import { type Finding, finding, standing } from "./finding.ts";

/** Namespaces in which roles of two segments can be held, and strict segments that share one. */
export const lintNamespaces = (catalogue: Catalogue): readonly Finding[] =>
  [...catalogue.namespaces.values()].flatMap((view) => [...spanning(view), ...strictlyShared(view)]);

function spanning(view: NamespaceView): readonly Finding[] {
  const [first, ...others] = segmentsWithRoles(view);
  if (first === undefined || others.length === 0) return [];
  const last = others.at(-1) ?? first;
  const names = [first, ...others].map((segment) => `${segment.name}${standing(segment)}`).join(", ");
  return [
    finding(
      "error",
      "NAMESPACE_SPANS_SEGMENTS",
      { kind: "Segment", definition: last },
      {
        path: namespacePath(last, view.name),
        message: `Namespace ${view.name} holds roles of ${others.length + 1} segments: ${names}.`,
        mend: "Give each segment namespaces of its own: whoever may create Pods there can be in any of them.",
      },
    ),
  ];
}

const segmentsWithRoles = (view: NamespaceView): readonly Segment[] =>
  view.segments
    .filter((segment) => view.roles.some((role) => role.segment === segment.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

function strictlyShared(view: NamespaceView): readonly Finding[] {
  return view.segments
    .filter(({ isolation }) => isolation === "strict")
    .flatMap((strict) => {
      const other = view.roles.find((role) => role.segment !== strict.name);
      if (!other) return [];
      return [
        finding(
          "error",
          "SEGMENT_STRICT",
          { kind: "Segment", definition: strict },
          {
            path: namespacePath(strict, view.name),
            message: `Strict segment ${strict.name} shares namespace ${view.name} with role ${other.name} of ${other.segment}${standing(other)}.`,
            mend: `Move roles of ${other.segment} to a namespace of their own.`,
          },
        ),
      ];
    });
}

/** Path of the entry that names the namespace; of the whole list where a label grants it. */
const namespacePath = ({ namespaces }: Segment, namespace: string): string => {
  const index = namespaces.indexOf(namespace);
  return index === -1 ? "spec.namespaces" : `spec.namespaces[${index}]`;
};
