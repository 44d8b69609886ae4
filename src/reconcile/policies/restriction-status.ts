import type { Restriction } from "../../domain/definitions.ts";
import type { Instant } from "../../domain/instant.ts";
import { QUARANTINE_LABEL } from "../../domain/reserved-keys.ts";
import { countPairs, type Loss } from "../../policy/compile/loss.ts";
import type { Rendered } from "../../policy/compile/rendered.ts";
import { outlives } from "../../policy/compile/standing.ts";
import type { TargetName } from "../../policy/compile/targets.ts";
import { concerns } from "../../policy/intent/quarantine.ts";
import { isInside } from "../../policy/model/endpoint.ts";
import { readApprovable } from "../../wire/definitions/approvable.ts";
import type { KubeObject } from "../../wire/objects.ts";
import { mergeConditions, type Said, said } from "../approvals/conditions.ts";
import { statusPatch } from "../approvals/status-patch.ts";
import type { Plan } from "./plan.ts";
import { stands } from "./standing.ts";
import type { StandingAction } from "./standing-status.ts";

const TYPE = "InEffect";

/** What publishing has come to: what is said of each quarantine that was compiled; absent where nothing is published at all. */
export type Outcome = {
  readonly restrictions: readonly Restriction[];
  readonly said?: ReadonlyMap<string, Said>;
  /** What publishing has waited for longer than it should. */
  readonly waitsFor?: string;
};

/** What is said of each quarantine that a plan knows. */
export function quarantinesSaid(plan: Plan, standing: ReadonlyMap<string, Rendered>): ReadonlyMap<string, Said> {
  const { order } = plan.published;
  const missing = plan.wanted.filter((object) => !stands(object, standing));
  const quarantines = order.intent.catalogue.definitions.restrictions.filter(({ effect }) => effect === "quarantine");
  return new Map(quarantines.map((one) => [keyOf(one), saidOf(one, plan, missing)] as const));
}

/** One that was made anew under a name is another. */
const keyOf = ({ name, uid, target }: Restriction): string => JSON.stringify([name, uid, target]);

/** Says of each quarantine whether it is in effect, and what stays open; nothing where its status says so already. */
export const decideQuarantines = (
  objects: readonly KubeObject[],
  outcome: Outcome,
  now: Instant,
): readonly StandingAction[] => {
  const restrictions = new Map(outcome.restrictions.map((one) => [one.name, one]));
  return objects.flatMap((object) => {
    const restriction = restrictions.get(object.name);
    if (restriction?.effect !== "quarantine") return [];
    const what = outcome.said ? (outcome.said.get(keyOf(restriction)) ?? notCompiled(outcome)) : NO_TARGET;
    return statusOf(object, what, now) ?? [];
  });
};

function statusOf(object: KubeObject, what: Said, now: Instant): StandingAction | undefined {
  const approvable = readApprovable(object, "Cluster");
  const { generation } = approvable;
  const conditions = approvable.deleting ? undefined : mergeConditions(approvable.conditions, [what], generation, now);
  if (!conditions) return undefined;
  const { apiVersion, kind, name, uid } = approvable.object;
  return {
    do: "setStanding",
    object: approvable.object,
    why: what.message,
    patch: statusPatch(approvable, { conditions }),
    event: {
      do: "emitEvent",
      regarding: { apiVersion, kind, namespace: "default", name, uid },
      type: what.status === "True" ? "Normal" : "Warning",
      reason: what.reason,
      action: "Reconcile",
      note: what.message.slice(0, 1024),
    },
  };
}

/** Pairs, or policies, that a condition names. */
const NAMED = 8;

function saidOf(restriction: Restriction, { published }: Plan, lacking: readonly Rendered[]): Said {
  const { order, compilation, terminating = new Set() } = published;
  const meant = order.members.filter(({ end }) => concerns(restriction.target, end));
  const namespaces = new Set(meant.map(({ end }) => end.namespace));
  const missing = lacking.filter(
    ({ metadata: { namespace = "" } }) => !terminating.has(namespace) || namespaces.has(namespace),
  ).length;
  const unmarked = meant.filter(({ endpoint }) => isInside(endpoint) && !(QUARANTINE_LABEL in endpoint.traits.labels));
  if (unmarked.length + missing > 0)
    return said(
      TYPE,
      false,
      "Pending",
      `${unmarked.length} Pods are not marked yet, and ${missing} objects not written.`,
    );
  return stillOpen(restriction, compilation.widening) ?? inEffect(meant.length, order.targets);
}

const NO_TARGET = said(
  TYPE,
  false,
  "NoTarget",
  "No data plane is published to here: its certificates are refused, and nothing is closed.",
);

const notCompiled = ({ waitsFor }: Outcome): Said =>
  said(
    TYPE,
    false,
    "Pending",
    `It is not compiled yet${waitsFor === undefined ? "" : `: nothing is published until these were seen whole: ${waitsFor}`}.`,
  );

/** What passes all targets although this denies it: by policies that are not ours. */
function stillOpen({ name }: Restriction, widening: readonly Loss[]): Said | undefined {
  const losses = widening.filter(
    ({ rule }) => rule === `Restriction ${name}` || rule.startsWith(`Restriction ${name},`),
  );
  const residual = losses.flatMap((loss) => loss.residual);
  const pairs = residual.map(({ from, to, on }) => `${from} -> ${to} on ${on}`);
  const unread = widening.flatMap(({ code, rule }) => (code === "FOREIGN_UNREAD" ? [rule] : []));
  if (pairs.length === 0 && unread.length === 0) return undefined;
  if (pairs.length === 0)
    return said(TYPE, false, "OpenStill", `Policies that are not evaluated may keep it open: ${shortened(unread)}.`);
  const open = `Policies that are not ours keep ${countPairs(residual)} pairs open: ${shortened(pairs)}.`;
  return said(TYPE, false, "OpenStill", open);
}

const shortened = (names: readonly string[]): string =>
  `${names.slice(0, NAMED).join("; ")}${names.length > NAMED ? "; and more" : ""}`;

function inEffect(count: number, targets: readonly TargetName[]): Said {
  const where = targets.join(", ");
  if (count === 0)
    return said(
      TYPE,
      true,
      "NobodyRuns",
      `Nobody who runs is meant now; whoever comes under it is cut off by ${where}.`,
    );
  const [are, they] = count === 1 ? [" is", "it is"] : ["s are", "they are"];
  const lasting = outlives(targets);
  const standing = lasting === undefined ? "" : ` ${OUTLIVES[lasting]} until ${they} restarted.`;
  return said(TYPE, true, "CutOff", `${count} workload${are} cut off by ${where}.${standing}`);
}

const OUTLIVES = {
  connections: "Connections that stand may live on",
  replies: "In connections that stand, replies for which no answer is needed may go on",
} as const;
