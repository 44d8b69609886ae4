import { ok, type Problem, problem, problemLine, refuseAll, type Result } from "../domain/problem.ts";
import { type ReadOptions, readWorld } from "../policy/foreign/world.ts";
import type { World } from "../policy/model/world.ts";
import { type Document, readDocuments, readUntilBroken } from "../wire/documents.ts";
import type { Io } from "./io.ts";

/** How a folder of manifests is read. */
export type InputOptions = { readonly multipleNetworks?: boolean };

/** Reads manifests into a world. Broken documents are left out with a warning; what would make answers wrong refuses. */
export function readManifests(io: Io, paths: readonly string[], options: InputOptions): Result<World> {
  const files = io.readInputs(paths);
  if (!files.ok) return files;
  const read = files.value.map((file) => readUntilBroken(file.text, file.name));
  const broken = read.flatMap(({ problems }) => problems).map(saysRest);
  const world = worldOf(
    read.flatMap(({ documents }) => documents),
    options,
  );
  if (!world.ok) return refuseAll([...world.problems, ...broken]);
  const warnings = [...broken, ...world.value.warnings, ...emptiness(world.value)];
  return ok({ ...world.value, warnings });
}

const saysRest = (found: Problem): Problem => ({
  ...found,
  message: `${found.message} This document, and what follows it in the file, is left out.`,
});

const worldOf = (documents: readonly Document[], options: InputOptions): Result<World> =>
  readWorld(documents, { ...READ_OPTIONS, multipleNetworks: options.multipleNetworks ?? false });

/** How objects are read where nothing else is said. */
export const READ_OPTIONS: ReadOptions = { multipleNetworks: false, parseYaml };

function parseYaml(text: string): unknown {
  const read = readDocuments(text, "");
  return read.ok ? read.value[0]?.value : undefined;
}

const emptiness = (world: World): readonly Problem[] =>
  world.pods.length > 0
    ? []
    : [problem("INPUT_EMPTY", "", "no relevant Kubernetes workload resources found in the input.")];

/** Prints warnings to standard error, one a line; each only once. */
export function warn(io: Io, warnings: readonly Problem[]): void {
  const lines = new Set(warnings.map((found) => `signet: warning: ${problemLine(found)} [${found.code}]\n`));
  for (const line of lines) io.err(line);
}
