import { installationFiles } from "./manifests.ts";

/** Path → text of every committed file that is made from the source. */
export const generatedFiles = (): ReadonlyMap<string, string> => new Map(installationFiles());
