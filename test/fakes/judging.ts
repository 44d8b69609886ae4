import { type Reviewed, review } from "../../src/admission/review.ts";
import type { Terms } from "../../src/admission/judge.ts";
import { type Catalogue, makeCatalogue } from "../../src/domain/catalogue.ts";
import type { Result } from "../../src/domain/problem.ts";
import { problemLine } from "../../src/domain/problem.ts";
import { readDefinitions } from "../../src/wire/definitions.ts";
import { type KubeObject, readObjects } from "../../src/wire/objects.ts";
import { metadataPresence } from "../../src/wire/presence.ts";
import { readWorkload } from "../../src/wire/workloads.ts";

/** The moment at which tests judge unless they say another. */
export const NOON = Date.parse("2026-11-23T12:00:00Z");

/** The value, or a failed test that says why there is none. */
export function must<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(result.problems.map(problemLine).join("\n"));
}

/** The objects of a YAML text. */
export const objectsOf = (yaml: string): readonly KubeObject[] =>
  must(readObjects([{ name: "test.yaml", text: yaml }])).objects;

/** The catalogue that a YAML text defines. */
export const catalogueOf = (yaml: string): Catalogue => makeCatalogue(must(readDefinitions(objectsOf(yaml))), "test");

/** Reviews the one workload of a YAML text. */
export function reviewOf(
  catalogue: Catalogue,
  yaml: string,
  terms: Partial<Terms> & { creator?: string } = {},
): Reviewed {
  const { creator, ...rest } = terms;
  const reviewed = objectsOf(yaml).flatMap((object) => {
    const around = { namespace: object.namespace || "default", ...(creator === undefined ? {} : { creator }) };
    const workload = must(readWorkload(object, around));
    return workload ? [review(catalogue, workload, metadataPresence(object.raw), { now: NOON, ...rest })] : [];
  });
  const [only] = reviewed;
  if (!only || reviewed.length !== 1) throw new Error(`${reviewed.length} workloads in the text`);
  return only;
}
