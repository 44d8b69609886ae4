import { cliDocs } from "./cli-docs.ts";
import { crdFiles } from "./crds.ts";
import { installationFiles } from "./manifests.ts";
import { problemDocs } from "./problem-docs.ts";

/** Path → text of every committed file that is made from the source. */
export const generatedFiles = (): ReadonlyMap<string, string> =>
  new Map([...crdFiles(), ...installationFiles(), ["docs/problems.md", problemDocs()], ["docs/cli.md", cliDocs()]]);
