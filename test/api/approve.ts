import { parseAllDocuments } from "yaml";
import { accepted, kubectlDone } from "../cluster/accepted.ts";
import type { Cluster } from "../cluster/boot.ts";

type Definition = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly annotations?: object };
};

const PLURALS: Readonly<Record<string, string>> = {
  TrustDomain: "trustdomains",
  Segment: "segments",
  WorkloadRole: "workloadroles",
  SegmentException: "segmentexceptions",
  SegmentPolicy: "segmentpolicies",
};

/** The editor of everything that is applied here, as the admission policy for editors would note it. */
const EDITOR = "kubernetes-admin";

/** Applies a catalogue as the administrator, and approves each object of Signet's in it as others, by the API alone. */
export async function applyApproved(cluster: Cluster, yaml: string, ...approvers: readonly string[]): Promise<void> {
  const objects = parseAllDocuments(yaml).map((document) => document.toJS() as Definition);
  for (const object of objects) await apply(cluster, object);
  for (const object of objects)
    if (PLURALS[object.kind] && object.kind !== "TrustDomain")
      for (const approver of approvers) await approve(cluster, object, approver);
}

async function apply(cluster: Cluster, object: Definition): Promise<void> {
  const annotations = { ...object.metadata.annotations, "signet.dev/editors": EDITOR };
  const noted = PLURALS[object.kind] ? { ...object, metadata: { ...object.metadata, annotations } } : object;
  await kubectlDone(cluster, ["apply", "-f", "-"], { stdin: JSON.stringify(noted) });
}

async function approve(cluster: Cluster, { kind, metadata }: Definition, user: string): Promise<void> {
  const { namespace, name } = metadata;
  const within = namespace === undefined ? "" : `namespaces/${namespace}/`;
  const path = `/apis/signet.dev/v1alpha1/${within}${PLURALS[kind]}/${name}`;
  const { body } = await cluster.request("GET", path);
  const { generation } = (body as { readonly metadata: { readonly generation: number } }).metadata;
  await accepted(cluster, "PATCH", `${path}/status`, {
    user,
    groups: ["system:masters"],
    contentType: "application/json-patch+json",
    body: [{ op: "add", path: "/status/approvals/-", value: { generation, by: user } }],
  });
}
