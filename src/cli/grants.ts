import type { Command } from "commander";
import { type Catalogue, makeCatalogue } from "../domain/catalogue.ts";
import type { Exception } from "../domain/definitions.ts";
import { type SignedGrants, withGrants } from "../domain/grants.ts";
import { ok, type Problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { readGrant } from "../wire/grant.ts";
import type { Io, TextFile } from "./io.ts";

/** What commands ask of whoever holds keys for grants; bin/ provides it. */
export type GrantKeeper = {
  readonly make: () => Promise<{ readonly privateKey: string; readonly publicKeys: string }>;
  readonly sign: (keyText: string, payload: string) => Promise<Result<string>>;
  readonly verify: (
    jws: string,
    keysText: string,
  ) => Promise<Result<{ readonly payload: string; readonly signer: string }>>;
  /** Writes a file that only its owner reads, and never over another. */
  readonly writeKey: (path: string, text: string) => Result<undefined>;
};

/** Where grants and the public keys that count stand, and whether nothing else grants. */
export type GrantOptions = {
  readonly grants?: readonly string[];
  readonly grantKeys?: string;
  readonly requireSignedGrants?: boolean;
};

/** Adds the options by which a command counts signed grants. */
export const addGrantOptions = (command: Command): Command =>
  command
    .option("--grants <file...>", "signed grants of exceptions")
    .option("--grant-keys <file>", "public keys that grants count by")
    .option("--require-signed-grants", "only a signature grants an exception, and no approval");

/** The keeper of this program. Throws where it has none. */
export function keeperOf(io: Io): GrantKeeper {
  if (!io.grants) throw new TypeError("this program keeps no grants");
  return io.grants;
}

/**
 * What the grants of the files give, each signed by one of the keys. One that is not trusted refuses all: a
 * pipeline must not go on as if it had never been there.
 */
export async function readGrants(
  io: Io,
  { grants = [], grantKeys, requireSignedGrants: only = false }: GrantOptions,
): Promise<Result<SignedGrants>> {
  if (grants.length === 0) return ok({ exceptions: [], only });
  if (grantKeys === undefined)
    return refuse("USAGE", "--grant-keys", "No keys are named that grants count by.", "Write --grant-keys FILE.");
  const files = io.readInputs(grants);
  const keys = io.readInputs([grantKeys]);
  if (!files.ok) return files;
  if (!keys.ok) return keys;
  const read = await Promise.all(files.value.map((file) => readOne(io, file, keys.value[0]?.text ?? "")));
  const problems = read.flatMap((each) => (each.ok ? [] : each.problems));
  return problems.length > 0
    ? refuseAll(problems)
    : ok({ exceptions: read.flatMap((each) => (each.ok ? [each.value] : [])), only });
}

async function readOne(io: Io, { name, text }: TextFile, keys: string): Promise<Result<Exception>> {
  const verified = await keeperOf(io).verify(text, keys);
  if (verified.ok) return readGrant(verified.value.payload, verified.value.signer, name);
  return refuseAll(verified.problems.map((found): Problem => ({ ...found, path: found.path || name })));
}

/** The catalogue with what is granted by signature. */
export const granted = (catalogue: Catalogue, grants: SignedGrants): Catalogue =>
  grants.exceptions.length === 0 && !grants.only
    ? catalogue
    : makeCatalogue(withGrants(catalogue.definitions, grants), catalogue.revision);
