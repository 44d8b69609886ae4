import { stringify } from "yaml";

/** A value as one YAML document that YAML 1.1 readers (kubectl) and 1.2 readers understand alike; no anchors. */
export const yamlText = (value: unknown): string =>
  stringify(value, { aliasDuplicateObjects: false, compat: "yaml-1.1", lineWidth: 120 });

/** Values as a stream of YAML documents. */
export const yamlStream = (values: readonly unknown[]): string => values.map(yamlText).join("---\n");
