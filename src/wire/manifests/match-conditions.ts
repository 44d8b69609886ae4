import { RESERVED_PREFIXES, USER_ANNOTATIONS } from "../../domain/reserved-keys.ts";
import { NETWORK_ANNOTATIONS } from "../workloads/escapes.ts";
import { SELF_TEST } from "./names.ts";

/** A CEL condition of a webhook entry; the API server calls only where all of an entry's hold. */
export type MatchCondition = { readonly name: string; readonly expression: string };

const list = (words: readonly string[]): string => `[${words.map((word) => `'${word}'`).join(", ")}]`;
const anyOf = (...conditions: readonly string[]): string => conditions.join(" ||\n");

/** Whether a key stands under one of Signet's prefixes. */
const isOurs = (key: string): string =>
  `(${RESERVED_PREFIXES.map((prefix) => `${key}.startsWith('${prefix}')`).join(" || ")})`;

const mapOf = (object: "object" | "oldObject", map: "labels" | "annotations"): string =>
  `${object}.metadata.?${map}.orValue({})`;

const indented = (text: string): string => text.replaceAll("\n", "\n  ");

/** Whether a pair of the map came, went or changed, among those whose key `k` fits. Short lines keep the YAML readable. */
const differs = (map: "labels" | "annotations", fits: string): string =>
  `[${mapOf("object", map)}].exists(now,
  [${mapOf("oldObject", map)}].exists(was,
    now.exists(k, ${fits} &&
      !(k in was && was[k] == now[k])) ||
    was.exists(k, ${fits} &&
      !(k in now))))`;

const fieldDiffers = (path: string): string => `object.?${path} != oldObject.?${path}`;

const isCreated = "request.operation == 'CREATE'";
const labelsDiffer = `${mapOf("object", "labels")} != ${mapOf("oldObject", "labels")}`;
const ourLabelsDiffer = differs("labels", isOurs("k"));
const ourAnnotationsDiffer = differs("annotations", isOurs("k"));

const foreignLabelsDiffer = differs("labels", "!k.startsWith('kubevirt.io/')");

/**
 * Nothing that is being deleted is judged: finalizers must be able to go. What is created is not, whatever it says of itself:
 * the API server takes that away, but after mutation.
 */
export const NOT_BEING_DELETED: MatchCondition = {
  name: "not-being-deleted",
  expression: `${isCreated} || !has(object.metadata.deletionTimestamp)`,
};

/** Nothing but the dry run by which Signet sees whether it is called. */
export const SELF_TEST_ONLY: MatchCondition = {
  name: "self-test-only",
  expression: `request.name == '${SELF_TEST}' && request.?dryRun.orValue(false)`,
};

/** The object carries a key that only Signet writes. */
const carriesReservedKey = anyOf(
  `${mapOf("object", "labels")}.exists(k,\n  ${isOurs("k")})`,
  `${mapOf("object", "annotations")}.exists(k,\n  ${isOurs("k")} &&\n  !(k in ${list(USER_ANNOTATIONS)}))`,
);

/** For objects in namespaces that are not enrolled: only those that carry a key which only Signet writes. */
export const CARRIES_RESERVED_KEY: MatchCondition = { name: "carries-reserved-key", expression: carriesReservedKey };

/** By `in` and not by `exists`: it takes half the time, and each Pod pays for it twice (decision 9). */
const isNode = "('system:nodes' in request.userInfo.?groups.orValue([]))";

/**
 * A node creates Pods only to mirror its static ones, and to change or refuse these would only hide them. It is known by its
 * group: anybody can write the annotation.
 */
export const NO_MIRROR_POD: MatchCondition = { name: "no-mirror-pod", expression: `!${isNode}` };

/** No static Pod has a stamp: a mirror Pod that carries one is judged all the same. */
export const NO_PLAIN_MIRROR_POD: MatchCondition = {
  name: "no-plain-mirror-pod",
  expression: anyOf(`!${isNode}`, carriesReservedKey),
};

/** Migrations must not wait for Signet: what the virt-controller writes goes to an entry that fails open. */
export const notByVirtController = (users: readonly string[]): MatchCondition => ({
  name: "not-by-virt-controller",
  expression: `!(request.userInfo.username in ${list(users)})`,
});

/** The counterpart of `notByVirtController`. */
export const byVirtController = (users: readonly string[]): MatchCondition => ({
  name: "by-virt-controller",
  expression: `request.userInfo.username in ${list(users)}`,
});

/**
 * Controllers that copy a template which was judged where it stands: ReplicaSets of a Deployment, Jobs of a CronJob. Their
 * Pods are judged anyway, so the call would only cost time.
 */
export const NO_COPIED_TEMPLATE: MatchCondition = {
  name: "no-copied-template",
  expression: `!(${isCreated} && request.userInfo.username in\n  ${list([
    "system:serviceaccount:kube-system:deployment-controller",
    "system:serviceaccount:kube-system:cronjob-controller",
  ])})`,
};

/**
 * Of a Pod's changes those count that a verdict hangs on. Spec can change only in images, tolerations, gates and deadlines,
 * none of which is judged; containers added to a running Pod and resizing have subresources of their own.
 */
export const POD_CHANGE: MatchCondition = {
  name: "judged-part-changed",
  expression: anyOf(
    "request.?subResource.orValue('') != ''",
    labelsDiffer,
    ourAnnotationsDiffer,
    differs("annotations", `k in ${list(NETWORK_ANNOTATIONS)}`),
  ),
};

/** Of a controller's changes: its template, wherever its kind has it, and Signet's keys on the object itself. */
export const TEMPLATE_CHANGE: MatchCondition = {
  name: "judged-part-changed",
  expression: anyOf(
    isCreated,
    fieldDiffers("spec.template"),
    fieldDiffers("spec.jobTemplate.spec.template"),
    fieldDiffers("spec.virtualMachineTemplate.spec.template"),
    fieldDiffers("template"),
    ourLabelsDiffer,
    ourAnnotationsDiffer,
  ),
};

/**
 * Of a virtual machine's changes: its template; of an instance's its spec and the labels that are not KubeVirt's own, which
 * move with every migration. Starting and stopping is none of them.
 */
export const MACHINE_CHANGE: MatchCondition = {
  name: "judged-part-changed",
  expression: anyOf(
    isCreated,
    fieldDiffers("spec.template"),
    `request.kind.kind == 'VirtualMachineInstance' && (${fieldDiffers("spec")} ||\n  ${indented(foreignLabelsDiffer)})`,
    ourLabelsDiffer,
    ourAnnotationsDiffer,
  ),
};
