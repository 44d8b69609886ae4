import { KINDS } from "./kinds.ts";
import { GROUP, type Kind, VERSION } from "./kinds/kind.ts";
import { type StructuralSchema, structural } from "./structural.ts";

/** A CustomResourceDefinition of apiextensions.k8s.io/v1, as plain data. */
export type CustomResourceDefinition = {
  readonly apiVersion: "apiextensions.k8s.io/v1";
  readonly kind: "CustomResourceDefinition";
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: object;
};

/** The CustomResourceDefinitions of all kinds, in the order of `KINDS`. */
export const allCrds = (): readonly CustomResourceDefinition[] => KINDS.map(crdOf);

/** The CustomResourceDefinition of one kind, made of the schemas that also read it. */
export function crdOf(kind: Kind): CustomResourceDefinition {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${kind.plural}.${GROUP}`, labels: { "app.kubernetes.io/part-of": "signet" } },
    spec: {
      group: GROUP,
      scope: kind.scope,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        shortNames: kind.shortNames,
        categories: ["signet"],
      },
      versions: [versionOf(kind)],
    },
  };
}

function versionOf(kind: Kind): object {
  return {
    name: VERSION,
    served: true,
    storage: true,
    subresources: { status: {} },
    additionalPrinterColumns: kind.columns.map(({ name, type, path, wide }) => ({
      name,
      type,
      jsonPath: path,
      ...(wide ? { priority: 1 } : {}),
    })),
    schema: { openAPIV3Schema: rootOf(kind) },
  };
}

/** The schema of the whole object; of metadata the API server lets a schema say nothing but in rules. */
function rootOf(kind: Kind): StructuralSchema {
  return {
    type: "object",
    description: kind.description,
    required: ["spec"],
    properties: {
      apiVersion: { type: "string", description: `${GROUP}/${VERSION}.` },
      kind: { type: "string", description: `${kind.kind}.` },
      metadata: { type: "object" },
      spec: structural(kind.spec, `${kind.kind}.spec`),
      status: structural(kind.status, `${kind.kind}.status`),
    },
    ...(kind.rules.length === 0 ? {} : { "x-kubernetes-validations": kind.rules }),
  };
}
