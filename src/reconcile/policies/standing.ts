import type { SegmentPolicy } from "../../domain/sentences.ts";
import { countPairs, type Effect, type Loss } from "../../policy/compile/loss.ts";
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

/** Where every SegmentPolicy of a cluster stands, by `namespace/name`, given what stands there. */
export function standingsOf(plan: Plan, standing: ReadonlyMap<string, Rendered>): ReadonlyMap<string, PolicyStanding> {
  const shares = sharesOf(plan, standing);
  return new Map(
    plan.published.order.intent.catalogue.definitions.policies.map((policy) => {
      const name = `${policy.namespace}/${policy.name}`;
      return [name, standingOf(plan, policy, shares.get(name) ?? NO_SHARE)] as const;
    }),
  );
}

/** A compiled object that some policy is in. */
type Part = { readonly target: TargetName; readonly text: string; readonly stands: boolean };

/** What of a compilation is of one policy. */
type Share = { readonly parts: Part[]; readonly losses: Loss[]; readonly idle: Idleness[] };

const NO_SHARE: Share = { parts: [], losses: [], idle: [] };

/** Everything that is of some policy, put with it: each object and each loss is looked at once. */
function sharesOf({ published }: Plan, standing: ReadonlyMap<string, Rendered>): ReadonlyMap<string, Share> {
  const { compilation, order } = published;
  const shares = new Map<string, Share>();
  const of = (policy: string): Share => {
    const share = shares.get(policy) ?? { parts: [], losses: [], idle: [] };
    shares.set(policy, share);
    return share;
  };
  for (const [target, objects] of compilation.compiled)
    for (const object of objects) {
      const policies = new Set(linesOf(object).split("\n").flatMap(policyIn));
      if (policies.size === 0) continue;
      const { kind, metadata, spec } = object;
      const text = canonical([kind, metadata.namespace, metadata.name, spec]);
      const part: Part = { target, text, stands: stands(object, standing) };
      for (const policy of policies) of(policy).parts.push(part);
    }
  for (const loss of compilation.losses)
    if (loss.effect !== "exact") for (const policy of policyIn(loss.rule)) of(policy).losses.push(loss);
  for (const { line, because } of order.intent.idle)
    for (const policy of policyIn(`${line.object},`)) of(policy).idle.push(because);
  return shares;
}

/** `payments/orders-db` in `SegmentPolicy payments/orders-db, spec.allow[0]`. */
const policyIn = (rule: string): readonly string[] => /^SegmentPolicy ([^,]+),/.exec(rule)?.slice(1, 2) ?? [];

function standingOf(plan: Plan, policy: SegmentPolicy, share: Share): PolicyStanding {
  const { parts, losses } = share;
  const targets = plan.published.order.targets.map((name): TargetStanding => {
    const own = parts.filter(({ target }) => target === name);
    const lost = losses.filter(({ target }) => target.split("+").includes(name));
    return { name, objects: own.length, active: own.filter((part) => part.stands).length, losses: lost.length };
  });
  return {
    policy,
    revision: shortHash(`[${parts.map(({ text }) => text).join()}]`),
    targets,
    losses: losses.slice(0, MOST_LOSSES).map(lossOf),
    ...saidOf(plan, policy, share, targets),
  };
}

/** Whether an object stands as it is meant. */
export const stands = (object: Rendered, standing: ReadonlyMap<string, Rendered>): boolean => {
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
    pairs: countPairs(residual),
    ...(first ? { example: `${first.from} -> ${first.to} on ${first.on}`.slice(0, 512) } : {}),
  };
}

type Said = Pick<PolicyStanding, "published" | "reason" | "message">;

function saidOf(plan: Plan, policy: SegmentPolicy, share: Share, targets: readonly TargetStanding[]): Said {
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
  if (objects === 0) return no("NotInForce", idleText(plan, policy, share));
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
function idleText({ published: { order } }: Plan, policy: SegmentPolicy, { idle: [because] }: Share): string {
  if (because) return IDLE[because];
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
