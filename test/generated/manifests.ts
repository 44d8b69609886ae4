import { readFileSync } from "node:fs";
import { join } from "node:path";
import { manifestFiles } from "../../src/wire/manifests/folders.ts";
import { permissionsPage } from "../../src/wire/manifests/permissions-page.ts";

const packageFile = join(import.meta.dirname, "..", "..", "package.json");

/** The image's tag in the manifests: the package's version. */
const version = (): string => (JSON.parse(readFileSync(packageFile, "utf8")) as { readonly version: string }).version;

/** Path → text of everything that is installed in a cluster but CRDs, and of the page on permissions. */
export const installationFiles = (): ReadonlyMap<string, string> =>
  new Map([...manifestFiles(version()), ["docs/permissions.md", permissionsPage()]]);
