import { KINDS } from "../wire/kinds.ts";
import { GROUP, type Kind, VERSION } from "../wire/kinds/kind.ts";
import type { KubeResource } from "./kube-access.ts";

/** The word for each kind that is approved, as commands have it. */
const WORDS: Readonly<Record<string, string>> = {
  trustdomain: "TrustDomain",
  segment: "Segment",
  role: "WorkloadRole",
  policy: "SegmentPolicy",
  guardrail: "Guardrail",
  exception: "SegmentException",
  externalworkload: "ExternalWorkload",
};

/** A kind that is approved: its word on the command line, and its resource on an API server. */
export type ApprovableKind = { readonly word: string; readonly kind: Kind; readonly resource: KubeResource };

/** Every kind that is approved, in the order in which one would write them. */
export const APPROVABLE_KINDS: readonly ApprovableKind[] = KINDS.flatMap((kind) =>
  Object.entries(WORDS)
    .filter(([, name]) => name === kind.kind)
    .map(([word]) => ({ word, kind, resource: resourceOf(kind) })),
);

function resourceOf({ kind, plural, scope }: Kind): KubeResource {
  return { group: GROUP, version: VERSION, plural, kind, namespaced: scope === "Namespaced" };
}

/** The resource of namespaces. */
export const NAMESPACES: KubeResource = {
  group: "",
  version: "v1",
  plural: "namespaces",
  kind: "Namespace",
  namespaced: false,
};
