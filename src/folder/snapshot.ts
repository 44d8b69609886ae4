import { createHash } from "node:crypto";
import { type Catalogue, type Definitions, makeCatalogue } from "../domain/catalogue.ts";
import { withGrants } from "../domain/grants.ts";
import { ok, type Problem, refuseAll, type Result, type Source } from "../domain/problem.ts";
import type { GrantSet } from "../wire/grant.ts";
import { joinItems } from "../wire/snapshot-text.ts";
import type { FilePart } from "./file-part.ts";

/** A catalogue, and the text that it can be made of again. Its `revision` is the SHA-256 of that text, in hex. */
export type Snapshot = { readonly catalogue: Catalogue; readonly text: string };

/**
 * Makes one catalogue of the files of a folder, in order of name; files are named from the folder on, so that a moved folder
 * is the same catalogue. A definition that stands in two files refuses the whole. Signed grants come on top.
 */
export function makeSnapshot(parts: ReadonlyMap<string, FilePart>, grants?: GrantSet): Result<Snapshot> {
  const files = [...parts].sort(([a], [b]) => (a < b ? -1 : 1));
  const twice = duplicates(files.map(([, part]) => part));
  if (twice.length > 0) return refuseAll(twice);
  const text = joinItems(
    files.map(([name, part]) => [name, part.items]),
    grants,
  );
  const revision = createHash("sha256").update(text).digest("hex");
  const written = merged(files.map(([, { definitions }]) => definitions));
  return ok({ catalogue: makeCatalogue(grants ? withGrants(written, grants) : written, revision), text });
}

function duplicates(parts: readonly FilePart[]): readonly Problem[] {
  const first = new Map<string, Source>();
  const problems: Problem[] = [];
  for (const { places } of parts)
    for (const [key, source] of places) {
      const there = first.get(key);
      if (there) problems.push(duplicate(key, source, there));
      else first.set(key, source);
    }
  return problems;
}

const duplicate = (key: string, source: Source, there: Source): Problem => ({
  code: "OBJECT_DUPLICATE",
  path: "metadata.name",
  message: `${key} stands also at ${there.file}:${there.line}.`,
  mend: "Delete or rename one of the two.",
  source,
});

function merged(all: readonly Definitions[]): Definitions {
  const trustDomain = all.find((each) => each.trustDomain)?.trustDomain;
  return {
    ...(trustDomain ? { trustDomain } : {}),
    segments: all.flatMap((each) => each.segments),
    roles: all.flatMap((each) => each.roles),
    namespaces: all.flatMap((each) => each.namespaces),
    exceptions: all.flatMap((each) => each.exceptions),
    policies: all.flatMap((each) => each.policies),
    guardrails: all.flatMap((each) => each.guardrails),
    externalWorkloads: all.flatMap((each) => each.externalWorkloads),
    restrictions: all.flatMap((each) => each.restrictions),
  };
}
