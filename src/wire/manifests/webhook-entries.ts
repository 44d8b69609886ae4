import { EXEMPT_NAMESPACES, SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import { ENROL_LABEL, ROLE_LABEL, SEGMENT_LABEL } from "../../domain/reserved-keys.ts";
import {
  byVirtController,
  CARRIES_RESERVED_KEY,
  MACHINE_CHANGE,
  type MatchCondition,
  NO_COPIED_TEMPLATE,
  NO_MIRROR_POD,
  NO_PLAIN_MIRROR_POD,
  NOT_BEING_DELETED,
  SELF_TEST_ONLY,
  notByVirtController,
  POD_CHANGE,
  TEMPLATE_CHANGE,
} from "./match-conditions.ts";
import { SELF_TEST_ENTRY } from "./names.ts";
import {
  LAUNCHED,
  MACHINES,
  POD_CHANGES,
  POD_CREATION,
  SELF_TESTED,
  STAMPED,
  TEMPLATES,
  type WebhookRule,
} from "./webhook-rules.ts";

/** What a selector of labels asks for. */
export type Requirement = { readonly key: string; readonly operator: string; readonly values?: readonly string[] };

/** One entry of a webhook configuration, as far as entries differ. */
export type Entry = {
  readonly name: string;
  readonly failurePolicy: "Fail" | "Ignore";
  readonly rules: readonly WebhookRule[];
  /** Beside not being exempt, unless the entry is about Signet's own namespace. */
  readonly namespaces: readonly Requirement[];
  /** Labels of the object itself; absent: whatever it has. */
  readonly objects?: readonly Requirement[];
  readonly conditions: readonly MatchCondition[];
};

const ENROLLED: Requirement = { key: ENROL_LABEL, operator: "In", values: ["true"] };
const NOT_ENROLLED: Requirement = { key: ENROL_LABEL, operator: "NotIn", values: ["true"] };
const GRANTED: Requirement = { key: SEGMENT_LABEL, operator: "Exists" };

/** What a Pod has whose role is known: nobody but Signet keeps it through validation. */
const STAMPED_ONE: Requirement = { key: ROLE_LABEL, operator: "Exists" };
const UNSTAMPED_ONE: Requirement = { key: ROLE_LABEL, operator: "DoesNotExist" };

/** By name, which is the one label of a namespace that nobody can forge. First in each selector: components add to it. */
export const NOT_EXEMPT: Requirement = {
  key: "kubernetes.io/metadata.name",
  operator: "NotIn",
  values: [...EXEMPT_NAMESPACES],
};

/** Signet's own namespace. */
export const OURS: Requirement = { key: "kubernetes.io/metadata.name", operator: "In", values: [SIGNET_NAMESPACE] };

/** By which Signet sees, without changing anything, whether the API server reaches it and trusts its certificate. */
export const selfTest = (webhook: "mutate" | "validate"): Entry => ({
  name: `${webhook}.${SELF_TEST_ENTRY}`,
  failurePolicy: "Fail",
  rules: SELF_TESTED,
  namespaces: [OURS],
  conditions: [SELF_TEST_ONLY],
});

/** The entries that stamp. They fail open: what is not stamped in an enrolled namespace is refused at validation. */
export const mutating = (): readonly Entry[] => [
  {
    name: "pods.stamp.signet.dev",
    failurePolicy: "Ignore",
    rules: POD_CREATION,
    namespaces: [],
    conditions: [NO_MIRROR_POD],
  },
  {
    name: "machines.stamp.signet.dev",
    failurePolicy: "Ignore",
    rules: MACHINES,
    namespaces: [],
    conditions: [NOT_BEING_DELETED, MACHINE_CHANGE],
  },
];

/** A Pod's creation meets one of the first two, by whether it has been stamped; the second is for what mutation left as it was. */
function judgingPods(virtControllers: readonly string[]): readonly Entry[] {
  const notLaunching = notByVirtController(virtControllers);
  return [
    {
      name: "pods.enrolled.signet.dev",
      failurePolicy: "Fail",
      rules: POD_CREATION,
      namespaces: [ENROLLED],
      objects: [STAMPED_ONE],
      // On the way of nearly every Pod: a condition costs more than a selector of labels (decision 9).
      conditions: virtControllers.length === 0 ? [] : [notLaunching],
    },
    {
      name: "pods.unstamped.enrolled.signet.dev",
      failurePolicy: "Fail",
      rules: POD_CREATION,
      namespaces: [ENROLLED],
      objects: [UNSTAMPED_ONE],
      conditions: [notLaunching, NO_PLAIN_MIRROR_POD],
    },
    {
      name: "pods.changed.enrolled.signet.dev",
      failurePolicy: "Fail",
      rules: POD_CHANGES,
      namespaces: [ENROLLED],
      conditions: [NOT_BEING_DELETED, notLaunching, NO_PLAIN_MIRROR_POD, POD_CHANGE],
    },
  ];
}

/** The entries that judge; each request meets at most one of those that fail closed. */
export function validating(virtControllers: readonly string[]): readonly Entry[] {
  const notLaunching = notByVirtController(virtControllers);
  return [
    ...judgingPods(virtControllers),
    {
      name: "machines.enrolled.signet.dev",
      failurePolicy: "Fail",
      rules: MACHINES,
      namespaces: [ENROLLED],
      conditions: [NOT_BEING_DELETED, notLaunching, MACHINE_CHANGE],
    },
    {
      name: "templates.enrolled.signet.dev",
      failurePolicy: "Fail",
      rules: TEMPLATES,
      namespaces: [ENROLLED],
      conditions: [NOT_BEING_DELETED, NO_COPIED_TEMPLATE, TEMPLATE_CHANGE],
    },
    {
      name: "stamped.signet.dev",
      failurePolicy: "Fail",
      rules: STAMPED,
      namespaces: [NOT_ENROLLED],
      conditions: [notLaunching, CARRIES_RESERVED_KEY],
    },
    ...failingOpen(virtControllers),
  ];
}

const failingOpen = (virtControllers: readonly string[]): readonly Entry[] => [
  {
    name: "launchers.signet.dev",
    failurePolicy: "Ignore",
    // Where nobody launches, it is asked about nothing, and its conditions cost nothing.
    rules: virtControllers.length === 0 ? [] : LAUNCHED,
    namespaces: [],
    conditions: [NOT_BEING_DELETED, byVirtController(virtControllers), MACHINE_CHANGE],
  },
  {
    name: "templates.granted.signet.dev",
    failurePolicy: "Ignore",
    rules: TEMPLATES,
    namespaces: [GRANTED, NOT_ENROLLED],
    conditions: [NOT_BEING_DELETED, NO_COPIED_TEMPLATE, TEMPLATE_CHANGE],
  },
];
