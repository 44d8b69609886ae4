import { yamlText } from "../../src/wire/yaml-text.ts";
import { allCrds } from "../../src/wire/crd.ts";

/** File name → text of every CustomResourceDefinition in manifests/crds. */
export const crdFiles = (): ReadonlyMap<string, string> =>
  new Map(
    allCrds().map((crd) => [
      `manifests/crds/${crd.metadata.name}.yaml`,
      `# Made by \`npm run manifests\` from src/wire/kinds; edits are lost.\n${yamlText(crd)}`,
    ]),
  );
