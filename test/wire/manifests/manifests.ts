import { parseAllDocuments } from "yaml";
import { manifestFiles } from "../../../src/wire/manifests/folders.ts";
import type { Manifest } from "../../../src/wire/manifests/manifest.ts";

/** Objects of the committed files below this folder of manifests/, as YAML says them. */
export const objectsIn = (folder: string): readonly Manifest[] =>
  [...manifestFiles("0.0.0")]
    .filter(([path]) => path.startsWith(`manifests/${folder}/`) && !path.endsWith("kustomization.yaml"))
    .flatMap(([, text]) => parseAllDocuments(text).map((document) => document.toJS() as Manifest));
