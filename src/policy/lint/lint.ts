import type { Problem, Source } from "../../domain/problem.ts";
import type { ProblemCode } from "../../domain/problem-codes.ts";
import { blockedOpenings } from "../analysis/connectivity.ts";
import { namedPortWarnings } from "../analysis/named-ports.ts";
import { scenesOf } from "../analysis/scene.ts";
import type { World } from "../model/world.ts";
import { deadSelectors } from "./dead-selectors.ts";
import { wordingFindings } from "./permissive.ts";
import { reachFindings } from "./reach.ts";
import { twinFindings } from "./twins.ts";
import { unreachableServices } from "./unreachable.ts";

/** Codes of what reading notes and what is worth mending; all else that it notes is only for the user to know. */
const MENDABLE: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  "ANNOTATION_DEAD",
  "FIELD_UNKNOWN",
  "NETWORK_IGNORED",
  "OBJECT_DUPLICATE",
  "PEER_UNSUPPORTED",
  "POLICY_IRRELEVANT",
  "POLICY_PRIORITY_SHARED",
  "PORT_NAME_UNMATCHED",
  "SELECTOR_NULL",
]);

/** Everything worth mending in the policies of a folder, in the order of files and lines. */
export function lintPolicies(world: World): readonly Problem[] {
  const scenes = scenesOf(world).filter(({ members }) => members.length > 0);
  const found = [
    ...world.warnings.filter(({ code }) => MENDABLE.has(code)),
    ...twinFindings(world.policies),
    ...wordingFindings(world.policies),
    ...deadSelectors(world.policies, scenes),
    ...reachFindings(world.policies, scenes),
    ...scenes.flatMap((scene) => [
      ...namedPortWarnings(scene),
      ...blockedOpenings(world, scene),
      ...unreachableServices(world, scene),
    ]),
  ];
  return [...new Map(found.map((one) => [keyOf(one), one])).values()].sort(byPlace);
}

const keyOf = ({ code, path, message, source }: Problem): string => JSON.stringify([code, path, message, source]);

const byPlace = (a: Problem, b: Problem): number => {
  const [left, right] = [a.source ?? NOWHERE, b.source ?? NOWHERE];
  return compare(left.file, right.file) || left.line - right.line || compare(a.code, b.code);
};

const NOWHERE: Source = { file: "", line: 0, column: 0 };

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
