import { withoutStatus } from "../../../kube/live-policies.ts";
import type { WatchTable } from "../../../kube/watch.ts";
import { ATTACHMENTS, JUDGED_RESOURCES } from "../../../reconcile/policies/published-kinds.ts";
import type { Raw } from "../../../wire/read-object.ts";

/** Nodes say which addresses Pods have. */
export const NODES: WatchTable = {
  resource: { group: "", version: "v1", plural: "nodes", kind: "Node", namespaced: false },
  strip: ({ apiVersion, kind, metadata, spec }) => ({ apiVersion, kind, metadata: named(metadata), spec }),
};

function named(metadata: unknown): Raw {
  const { name, uid, resourceVersion } = metadata as Raw;
  return { name, uid, resourceVersion };
}

/** What publishing follows, beside definitions and Pods. */
export const PUBLISHING_TABLES: readonly WatchTable[] = [
  ...[...JUDGED_RESOURCES, ATTACHMENTS].map((resource) => ({ resource, strip: withoutStatus })),
  NODES,
];
