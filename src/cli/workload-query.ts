import { ok, refuse, type Result } from "../domain/problem.ts";
import { nearest } from "../wire/read-object.ts";
import { WORKLOAD_OBJECT_KINDS } from "../wire/workloads/shapes.ts";
import type { ReviewedObject } from "./review-input.ts";

/** What `signet why` is asked about; `kind` as its author wrote it. */
export type WorkloadQuery = { readonly kind: string; readonly name: string; readonly namespace?: string };

/** kubectl's short names of kinds that are workloads. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  po: "pod",
  rc: "replicationcontroller",
  deploy: "deployment",
  rs: "replicaset",
  sts: "statefulset",
  ds: "daemonset",
  cj: "cronjob",
  dc: "deploymentconfig",
  ro: "rollout",
  vm: "virtualmachine",
  vmi: "virtualmachineinstance",
  vmirs: "virtualmachineinstancereplicaset",
  vmpool: "virtualmachinepool",
  ksvc: "service",
  extw: "externalworkload",
};

/** Reads `KIND/NAME`; kinds as kubectl takes them: in any case, plural, short, or with a group (`deployments.apps`). */
export function readQuery(text: string, namespace: string | undefined): Result<WorkloadQuery> {
  const [kind = "", name = "", ...rest] = text.split("/");
  if (kind === "" || name === "" || rest.length > 0)
    return refuse(
      "USAGE",
      "",
      `"${text}" names no workload.`,
      "Write KIND/NAME, for example deploy/orders or vm/orders-db.",
    );
  return ok({ kind, name, ...(namespace === undefined ? {} : { namespace }) });
}

/** The kind as objects write it; refuses what is no kind of workload. */
export function fullKind(asked: string): Result<string> {
  const found = WORKLOAD_OBJECT_KINDS.find((kind) => isKind(asked, kind));
  if (found !== undefined) return ok(found);
  return refuse("USAGE", "", `"${asked}" is no kind of workload.`, "Write for example pod/cart-1 or vm/orders-db.");
}

/** Whether a kind of the command line means this kind of an object. */
export function isKind(asked: string, kind: string): boolean {
  const [word = ""] = asked.toLowerCase().split(".");
  const singular = kind.toLowerCase();
  return word === singular || word === `${singular}s` || SHORT_NAMES[word] === singular;
}

/** The one workload that is meant; refuses where there is none, or several in different namespaces. */
export function findWorkload(reviewed: readonly ReviewedObject[], query: WorkloadQuery): Result<ReviewedObject> {
  const { kind, name, namespace } = query;
  const found = reviewed.filter(
    ({ workload: { object } }) =>
      isKind(kind, object.kind) && object.name === name && (namespace === undefined || object.namespace === namespace),
  );
  const [first, ...others] = found;
  if (!first) return refuse("NOT_FOUND", "", `The files hold no ${queryText(query)}.`, suggestion(reviewed, query));
  if (others.length === 0) return ok(first);
  const namespaces = [...new Set(found.map(({ workload }) => workload.namespace))];
  const mend =
    namespaces.length > 1
      ? `Name one with --namespace: ${namespaces.join(", ")}.`
      : "Name fewer files with -f: it stands in several.";
  return refuse("USAGE", "", `There are ${found.length} workloads ${queryText(query)}.`, mend);
}

const queryText = ({ kind, name, namespace }: WorkloadQuery): string =>
  `${kind}/${name}${namespace === undefined ? "" : ` in namespace ${namespace}`}`;

function suggestion(reviewed: readonly ReviewedObject[], { kind, name }: WorkloadQuery): string {
  const objects = reviewed.map(({ workload }) => workload.object);
  const spelled = nearest(
    name,
    objects.filter((object) => isKind(kind, object.kind)).map((object) => object.name),
  );
  const elsewhere = objects.find((object) => isKind(kind, object.kind) && object.name === name);
  if (elsewhere) return `It stands in namespace ${elsewhere.namespace}.`;
  if (spelled !== undefined) return `Did you mean ${kind}/${spelled}?`;
  const same = objects.find((object) => object.name === name);
  if (same) return `Did you mean ${same.kind.toLowerCase()}/${name}?`;
  const shown = objects.slice(0, 5).map((object) => `${object.kind.toLowerCase()}/${object.name}`);
  return `They hold ${shown.join(", ")}${objects.length > 5 ? ` and ${objects.length - 5} more` : ""}.`;
}
