import type { SegmentPolicy } from "../../domain/sentences.ts";
import type { Effect, Loss } from "../../policy/compile/loss.ts";
import { saysTheSame } from "../../policy/compile/published.ts";
import { type Rendered, shortHash } from "../../policy/compile/rendered.ts";
import type { TargetName } from "../../policy/compile/targets.ts";
import { canonical } from "../../policy/compile/published.ts";
import type { Idleness } from "../../policy/intent/intent.ts";
import { objectKey } from "./order.ts";
import { linesOf, type Plan } from "./plan.ts";

/** How far a SegmentPolicy is published to one target. */
export type TargetStanding = {
  readonly name: TargetName;
  /** Objects of the target that its sentences are in, and how many of those stand as they are meant. */
  readonly objects: number;
  readonly active: number;
  readonly losses: number;
};

/** What one target loses of one of its sentences; `pairs` is how many pairs of workloads it concerns. */
export type LossStanding = {
  readonly target: string;
  readonly code: Loss["code"];
  readonly effect: Effect;
  /** `spec.allow[0]`. */
  readonly path: string;
  readonly pairs: number;
  readonly example?: string;
};

/** Where one SegmentPolicy stands. */
export type PolicyStanding = {
  readonly policy: SegmentPolicy;
  /** Of what its sentences are compiled to: another one where that is another. */
  readonly revision: string;
  readonly targets: readonly TargetStanding[];
  readonly losses: readonly LossStanding[];
  readonly published: boolean;
  readonly reason: "Active" | "NotInForce" | "WouldBeWider" | "Pending" | "NoTarget";
  readonly message: string;
};

/** Losses that a status lists. */
const MOST_LOSSES = 32;

/** Where every SegmentPolicy of a cluster stands, given what stands there. */
export function standingsOf(plan: Plan, standing: ReadonlyMap<string, Rendered>): readonly PolicyStanding[] {
  const { order } = plan.published;
  return order.intent.catalogue.definitions.policies.map((policy) => standingOf(plan, policy, standing));
}

function standingOf(plan: Plan, policy: SegmentPolicy, standing: ReadonlyMap<string, Rendered>): PolicyStanding {
  const { compilation, order } = plan.published;
  const own = `SegmentPolicy ${policy.namespace}/${policy.name},`;
  const losses = compilation.losses.filter(({ rule, effect }) => rule.startsWith(own) && effect !== "exact");
  const wanted: Rendered[] = [];
  const targets = order.targets.map((name): TargetStanding => {
    const objects = (compilation.compiled.get(name) ?? []).filter((object) => isOf(object, own));
    wanted.push(...objects);
    const active = objects.filter((object) => stands(object, standing));
    const lost = losses.filter(({ target }) => target.split("+").includes(name));
    return { name, objects: objects.length, active: active.length, losses: lost.length };
  });
  return {
    policy,
    revision: shortHash(
      canonical(wanted.map(({ kind, metadata: { namespace, name }, spec }) => [kind, namespace, name, spec])),
    ),
    targets,
    losses: losses.slice(0, MOST_LOSSES).map(lossOf),
    ...saidOf(plan, policy, targets),
  };
}

const isOf = (object: Rendered, own: string): boolean =>
  linesOf(object)
    .split("\n")
    .some((line) => line.startsWith(own));

const stands = (object: Rendered, standing: ReadonlyMap<string, Rendered>): boolean => {
  const live = standing.get(objectKey(object));
  return live !== undefined && saysTheSame(live, object);
};

function lossOf({ target, code, effect, rule, residual }: Loss): LossStanding {
  const [first] = residual;
  return {
    target,
    code,
    effect,
    path: rule.split(", ").at(-1) ?? "",
    pairs: residual.length,
    ...(first ? { example: `${first.from} -> ${first.to} on ${first.on}`.slice(0, 512) } : {}),
  };
}

type Said = Pick<PolicyStanding, "published" | "reason" | "message">;

function saidOf(plan: Plan, policy: SegmentPolicy, targets: readonly TargetStanding[]): Said {
  const { order } = plan.published;
  if (order.targets.length === 0) return no("NoTarget", "No data plane is published to here.");
  const [first, ...more] = plan.blocking;
  const objects = targets.reduce((sum, one) => sum + one.objects, 0);
  const active = targets.reduce((sum, one) => sum + one.active, 0);
  if (first && active < objects)
    return no(
      "WouldBeWider",
      `Nothing is published, for it would let through more than is meant: ${first.code} of ${first.rule} on ${first.target}${more.length > 0 ? `, and ${more.length} more` : ""}.`,
    );
  if (objects === 0) return no("NotInForce", idleText(plan, policy));
  if (active < objects)
    return no(
      "Pending",
      `${active} of ${objects} objects stand; the others are written as soon as the API server takes them.`,
    );
  const where = targets.filter((one) => one.objects > 0).map((one) => one.name);
  return {
    published: true,
    reason: "Active",
    message: `${objects} object${objects === 1 ? " stands as it is" : "s stand as they are"} meant, of ${where.join(", ")}.`,
  };
}

const no = (reason: PolicyStanding["reason"], message: string): Said => ({ published: false, reason, message });

/** Why nothing is compiled of a policy. */
function idleText({ published: { order } }: Plan, policy: SegmentPolicy): string {
  const object = `SegmentPolicy ${policy.namespace}/${policy.name}`;
  const idle = order.intent.idle.find(({ line }) => line.object === object);
  if (idle) return IDLE[idle.because];
  const mode = order.intent.catalogue.segments.get(policy.segment)?.mode ?? "observe";
  return mode === "observe" || mode === "simulate"
    ? `Segment ${policy.segment} is in mode ${mode}: its sentences are compiled and compared, and nothing is closed.`
    : "None of its sentences opens a door that something closes.";
}

const IDLE: Readonly<Record<Idleness, string>> = {
  unapproved: "Its sentences wait for approval.",
  "segment-unknown": "Its segment is not in force.",
  "namespace-not-owned": "Its namespace does not belong to its segment.",
  "namespace-other": "It is signed for a namespace with another UID.",
  "role-unknown": "A role that it names is not in force.",
};
