import { type Catalogue, makeCatalogue } from "../domain/catalogue.ts";
import type { Namespace } from "../domain/definitions.ts";
import { ok, refuseAll, type Result } from "../domain/problem.ts";
import { readNamespace } from "../wire/definitions.ts";
import type { KubeObject } from "../wire/objects.ts";

/**
 * Namespaces of the judged files count as they would once applied: those that the catalogue lacks are added, and one that
 * is enrolled in either place is enrolled. Where approval is required, a segment label from the files grants nothing, nor
 * does a UID, which a signed grant would be bound to.
 */
export function withNamespaces(
  catalogue: Catalogue,
  objects: readonly KubeObject[],
  approved: boolean,
): Result<Catalogue> {
  const given = objects
    .filter((object) => object.apiVersion === "v1" && object.kind === "Namespace")
    .map(readNamespace);
  const problems = given.flatMap((each) => (each.ok ? [] : each.problems));
  if (problems.length > 0) return refuseAll(problems);
  const merged = new Map(catalogue.definitions.namespaces.map((each) => [each.name, each]));
  for (const each of given) {
    if (!each.ok) continue;
    const known = merged.get(each.value.name);
    const { segment, uid, ...rest } = each.value;
    const claimed = { ...(segment === undefined ? {} : { segment }), ...(uid === undefined ? {} : { uid }) };
    const added: Namespace = approved ? rest : { ...rest, ...claimed };
    merged.set(each.value.name, known ? { ...known, enrolled: known.enrolled || each.value.enrolled } : added);
  }
  if (given.length === 0) return ok(catalogue);
  return ok(makeCatalogue({ ...catalogue.definitions, namespaces: [...merged.values()] }, catalogue.revision));
}
