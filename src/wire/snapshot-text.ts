import type { Definitions } from "../domain/catalogue.ts";
import { withGrants } from "../domain/grants.ts";
import { ok, type Problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { type GrantSet, readGrants, type VerifiedGrant } from "./grant.ts";
import { isDefinition, readDefinitions } from "./definitions.ts";
import { type KubeObject, kubeObject } from "./objects.ts";
import { isRaw, type Place, type Raw, textAt } from "./read-object.ts";

/** One file's definitions as they were written, as JSON: what else lies beside them is left out. */
export const renderItems = (objects: readonly KubeObject[]): string =>
  JSON.stringify(objects.filter(isDefinition).map(({ raw }) => raw));

/**
 * The text that a catalogue can be made of again, of each file's name and items, and of the signed grants beside them. Equal
 * definitions in equal files have equal texts.
 */
export const joinItems = (files: readonly (readonly [name: string, items: string])[], grants?: GrantSet): string =>
  `[${[...files, ...(grants ? [[GRANTS, grants.text] as const] : [])].map(([name, items]) => `{"name":${JSON.stringify(name)},"items":${items}}`).join(",")}]`;

/** Stands where a file's name does; no file and no object is called so. */
const GRANTS = "signed grants";

/** Reads the definitions back out of such a text. */
export function readSnapshotText(text: string): Result<Definitions> {
  const files: unknown = JSON.parse(text);
  if (!Array.isArray(files)) return refuse("LEDGER_BROKEN", "", "The stored catalogue is none.");
  const objects: KubeObject[] = [];
  const problems: Problem[] = [];
  const raw = files.filter(isRaw);
  for (const file of raw.filter(({ name }) => name !== GRANTS)) {
    const items: unknown = file["items"];
    for (const raw of Array.isArray(items) ? items.filter(isRaw) : []) {
      const read = kubeObject(placeOf(String(file["name"]), raw), raw);
      if (read.ok) objects.push(read.value);
      else problems.push(...read.problems);
    }
  }
  if (problems.length > 0) return refuseAll(problems);
  const definitions = readDefinitions(objects);
  const grants = raw.find(({ name }) => name === GRANTS);
  return definitions.ok && grants ? ok(withGrants(definitions.value, storedGrants(grants))) : definitions;
}

/** Grants were verified before they were stored; whoever vouches for the text vouches for them. */
function storedGrants(file: Raw): GrantSet {
  const [item] = Array.isArray(file["items"]) ? file["items"].filter(isRaw) : [];
  const grants: unknown = item?.["grants"];
  const verified = Array.isArray(grants) ? grants.filter(isRaw).map(verifiedOf) : [];
  return readGrants(verified, item?.["only"] === true).set;
}

const verifiedOf = (raw: Raw): VerifiedGrant => ({
  file: textAt(raw, "file") ?? "",
  payload: textAt(raw, "payload") ?? "",
  signer: textAt(raw, "signer") ?? "",
});

const placeOf = (file: string, value: unknown): Place => ({
  document: { value, file, locate: () => ({ file, line: 1, column: 1 }) },
  base: [],
});
