import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Profiles } from "../domain/certificate.ts";
import { refuse, type Result } from "../domain/problem.ts";
import { readProfiles } from "../wire/certificate-profiles.ts";

/** Reads the profiles `leaf.yaml`, `issuing.yaml` and `root.yaml` of a folder; all or none. */
export function loadProfiles(folder: string): Result<Profiles> {
  const file = (name: string) => ({ name: join(folder, name), text: readFileSync(join(folder, name), "utf8") });
  try {
    return readProfiles({ leaf: file("leaf.yaml"), issuing: file("issuing.yaml"), root: file("root.yaml") });
  } catch {
    return refuse(
      "FILE_UNREADABLE",
      folder,
      `The certificate profiles in ${folder} could not be read.`,
      "The folder holds leaf.yaml, issuing.yaml and root.yaml; the package brings them in certs/.",
    );
  }
}
