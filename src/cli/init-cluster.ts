import { ok, refuseAll, type Result } from "../domain/problem.ts";
import type { KubeObject } from "../wire/objects.ts";
import { type Raw, rawAt, textAt } from "../wire/read-object.ts";
import type { KubeChoice, KubeResource, OpenKube } from "./kube-access.ts";

const resource = (group: string, kind: string, plural = `${kind.toLowerCase()}s`): KubeResource => ({
  group,
  version: "v1",
  plural,
  kind,
  namespaced: true,
});

/** What a proposal looks at; what an API server does not have is left out. */
const LOOKED_AT: readonly KubeResource[] = [
  ...["Deployment", "StatefulSet", "DaemonSet"].map((kind) => resource("apps", kind)),
  ...["CronJob", "Job"].map((kind) => resource("batch", kind)),
  resource("", "Pod"),
  resource("kubevirt.io", "VirtualMachine"),
  resource("kubevirt.io", "VirtualMachineInstance"),
];

/** Reads the workloads of a cluster, or of one namespace of it. */
export async function readCluster(
  open: OpenKube,
  { namespace, ...choice }: KubeChoice & { readonly namespace?: string },
): Promise<Result<readonly KubeObject[]>> {
  const opened = await open(choice);
  if (!opened.ok) return opened;
  const found: KubeObject[] = [];
  for (const each of LOOKED_AT) {
    const listed = await opened.value.list(each, namespace === undefined ? {} : { namespace });
    if (listed.ok) found.push(...listed.value.items.map(liveObject));
    else if (listed.problems.some(({ code }) => code !== "NOT_FOUND")) return refuseAll(listed.problems);
  }
  return ok(found);
}

function liveObject(raw: Raw): KubeObject {
  const metadata = rawAt(raw, "metadata");
  const [kind, namespace, name] = [
    textAt(raw, "kind") ?? "",
    textAt(metadata, "namespace") ?? "",
    textAt(metadata, "name") ?? "",
  ];
  const file = `${kind}/${namespace}/${name}`;
  const document = { value: raw, file, locate: () => ({ file, line: 1, column: 1 }) };
  return { document, base: [], apiVersion: textAt(raw, "apiVersion") ?? "", kind, namespace, name, raw };
}
