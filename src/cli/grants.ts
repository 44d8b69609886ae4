import { type Catalogue, makeCatalogue } from "../domain/catalogue.ts";
import type { Exception } from "../domain/definitions.ts";
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

/** Where grants and the public keys that count stand. */
export type GrantOptions = { readonly grants?: readonly string[]; readonly grantKeys?: string };

/** The keeper of this program. Throws where it has none. */
export function keeperOf(io: Io): GrantKeeper {
  if (!io.grants) throw new TypeError("this program keeps no grants");
  return io.grants;
}

/**
 * The exceptions that the grants of the files give, each signed by one of the keys. One that is not trusted refuses all: a
 * pipeline must not go on as if it had never been there.
 */
export async function readGrants(
  io: Io,
  { grants = [], grantKeys }: GrantOptions,
): Promise<Result<readonly Exception[]>> {
  if (grants.length === 0) return ok([]);
  if (grantKeys === undefined)
    return refuse("USAGE", "--grant-keys", "No keys are named that grants count by.", "Write --grant-keys FILE.");
  const files = io.readInputs(grants);
  const keys = io.readInputs([grantKeys]);
  if (!files.ok) return files;
  if (!keys.ok) return keys;
  const read = await Promise.all(files.value.map((file) => readOne(io, file, keys.value[0]?.text ?? "")));
  const problems = read.flatMap((each) => (each.ok ? [] : each.problems));
  return problems.length > 0 ? refuseAll(problems) : ok(read.flatMap((each) => (each.ok ? [each.value] : [])));
}

async function readOne(io: Io, { name, text }: TextFile, keys: string): Promise<Result<Exception>> {
  const verified = await keeperOf(io).verify(text, keys);
  if (verified.ok) return readGrant(verified.value.payload, verified.value.signer, name);
  return refuseAll(verified.problems.map((found): Problem => ({ ...found, path: found.path || name })));
}

/** The catalogue with what is granted; what a server approved stands as it is. */
export function withGrants(catalogue: Catalogue, grants: readonly Exception[]): Catalogue {
  if (grants.length === 0) return catalogue;
  const { definitions, revision } = catalogue;
  const granted = new Map(grants.map((grant) => [`${grant.namespace}/${grant.name}`, grant]));
  const kept = definitions.exceptions.filter((each) => {
    const approved = each.approval.state === "approved";
    if (approved) granted.delete(`${each.namespace}/${each.name}`);
    return approved || !granted.has(`${each.namespace}/${each.name}`);
  });
  return makeCatalogue({ ...definitions, exceptions: [...kept, ...granted.values()] }, revision);
}
