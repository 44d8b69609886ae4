import type { Instant } from "../../domain/instant.ts";
import { rolesOfIdentity } from "../../domain/catalogue.ts";
import type { LossCode } from "../../domain/loss-codes.ts";
import { endText, type FlowEnd } from "../../domain/flow.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import type { Intent } from "../intent/intent.ts";
import { type Line, rulingText } from "../intent/line.ts";
import { PORT_PASSAGES, type PassageSet, passagesText } from "../intent/passages.ts";
import { sliceIntent } from "../intent/slices.ts";
import { type IntentVerdict, rulingsOf } from "../intent/verdict.ts";
import { enclosureText } from "../intent/words.ts";
import { isInside } from "../model/endpoint.ts";
import { intersect, subtract } from "../sets/intervals.ts";
import { admittedBy, type Difference, type EndClass } from "./judge.ts";
import type { Effect, Loss, ResidualPair } from "./loss.ts";
import type { Plane } from "./plane.ts";
import { passagesOfNumbered } from "./ports.ts";

/** What explanations rest on: the planes as they act, and the same with only what was compiled. */
export type Explaining = {
  readonly intent: Intent;
  readonly now: Instant;
  readonly target: string;
  /** The planes without foreign policies, to tell whose doing a difference is. */
  readonly own: readonly Plane[];
};

/** Puts differences down to the lines they are about: one loss for each line, code and effect, with its pairs. */
export function lossesOf(explaining: Explaining, found: readonly Difference[]): readonly Loss[] {
  const losses = new Map<string, { loss: Loss; workloads: Set<string>; residual: ResidualPair[] }>();
  for (const difference of found)
    for (const { rule, code, effect, on } of partsOf(explaining, difference)) {
      const key = `${rule}\n${code}\n${effect}`;
      const known = losses.get(key) ?? {
        loss: { target: explaining.target, code, effect, rule, workloads: [], residual: [] },
        workloads: new Set<string>(),
        residual: [],
      };
      losses.set(key, known);
      known.residual.push({ from: classText(difference.from), to: classText(difference.to), on: passagesText(on) });
      for (const { end, endpoint } of [...difference.from.members, ...difference.to.members])
        if (end.kind === "workload") known.workloads.add(textOf({ end, endpoint }));
    }
  return [...losses.values()]
    .map(({ loss, workloads, residual }) => ({ ...loss, workloads: [...workloads].sort(), residual }))
    .sort((a, b) => compare(a.rule, b.rule) || compare(a.code, b.code) || compare(a.effect, b.effect));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

type Part = {
  readonly rule: string;
  readonly code: LossCode;
  readonly effect: Effect;
  readonly on: PassageSet;
};

/** One difference, parted by the rules that decide on it and by whose doing it is. */
function partsOf(explaining: Explaining, { from, to, wider, narrower }: Difference): readonly Part[] {
  const { intent, now, own } = explaining;
  const ownAdmits = admittedBy(own, from.first, to.first);
  return sliceIntent(intent, from.first.end, to.first.end, now).flatMap(({ passages, verdict }) => {
    const on = intersect(passages, verdict.allowed ? narrower : wider);
    const [open, closed] = [intersect(on, ownAdmits), subtract(on, ownAdmits)];
    const parts = verdict.allowed
      ? [...openers(verdict, "FOREIGN_DENY", open), ...narrowedBy(explaining, [from.first, to.first], verdict, closed)]
      : [
          ...closers(verdict, "FOREIGN_ALLOW", closed),
          ...closers(verdict, asMessages(open) ?? widened(explaining, [from.first, to.first], open), open),
        ];
    return parts.filter((part) => part.on.length > 0);
  });
}

/** What opens a flow, by rule: lines, `intra: allow`, or that nothing encloses either end. */
const openers = (verdict: IntentVerdict, code: LossCode, on: PassageSet): readonly Part[] =>
  openersOf(verdict).map((rule) => ({ rule, code, effect: "narrower", on }));

function openersOf({ reason }: IntentVerdict): readonly string[] {
  if (reason.kind === "granted") return reason.rulings.map(bare);
  return [reason.kind === "intra" ? `Segment ${reason.segment}, spec.intra` : "nothing encloses either end"];
}

/** A rule without its place in a file: the same in whatever folder it lies. */
const bare = ({ object, path }: Pick<Line, "object" | "path">): string => rulingText({ object, path });

function narrowedBy(
  explaining: Explaining,
  ends: readonly EffectiveEnd[],
  verdict: IntentVerdict,
  on: PassageSet,
): readonly Part[] {
  if (verdict.reason.kind !== "granted") {
    const besideCanary = ends.some(({ end }) => isBesideCanary(explaining.intent, end));
    return openers(verdict, asMessages(on) ?? (besideCanary ? "CANARY_BY_LABEL" : "ORDER_FLATTENED"), on);
  }
  return verdict.reason.rulings.map((line) => ({
    rule: bare(line),
    code: narrowed(explaining, line, on),
    effect: "narrower",
    on,
  }));
}

/** Whether a canary names single workloads of an end's segment, and not this one. */
function isBesideCanary({ catalogue }: Intent, end: FlowEnd): boolean {
  const segment = end.kind === "workload" ? catalogue.segments.get(end.segment ?? "") : undefined;
  return segment?.mode === "canary" && segment.canary.workloads.length > 0 && end.kind === "workload" && !end.inCanary;
}

/** What a target that knows ports only makes of messages alone. */
const asMessages = (on: PassageSet): LossCode | undefined =>
  intersect(on, PORT_PASSAGES).length === 0 ? "PROTOCOL_UNSUPPORTED" : undefined;

function narrowed(explaining: Explaining, { from, to }: Line, on: PassageSet): LossCode {
  const messages = asMessages(on);
  if (messages) return messages;
  if ([from, to].some(({ by }) => by === "fqdn")) return "FQDN_AS_IP";
  if ([from, to].some(({ by }) => by === "externalIdentity")) return "IDENTITY_AS_IP";
  if (!isMesh(explaining)) return "ORDER_FLATTENED";
  return from.by === "namespace" ? "IDENTITY_AS_IP" : "PORT_UNREPRESENTABLE";
}

/** What closes a flow that the target lets through. */
const closers = (verdict: IntentVerdict, code: LossCode, on: PassageSet): readonly Part[] => [
  { rule: closing(verdict), code, effect: UNSEEN.has(code) ? "unenforced" : "wider", on },
];

const UNSEEN: ReadonlySet<LossCode> = new Set<LossCode>(["TARGET_ABSENT", "HOSTNETWORK_UNSELECTED"]);

function closing({ reason }: IntentVerdict): string {
  const [ruling] = rulingsOf(reason);
  if (ruling) return bare(ruling);
  if (reason.kind === "enclosed") return `default deny: ${enclosureText(reason.by)}`;
  return reason.kind === "unknown" ? reason.what : reason.kind;
}

const isMesh = ({ target }: Explaining): boolean => target.includes("istio");

const TCP: PassageSet = passagesOfNumbered([{ protocol: "tcp", first: 1, last: 65535 }]);

function widened(explaining: Explaining, ends: readonly EffectiveEnd[], on: PassageSet): LossCode {
  if (ends.some(({ endpoint }) => isInside(endpoint) && endpoint.traits.host)) return "HOSTNETWORK_UNSELECTED";
  if (ends.some(({ end, endpoint }) => end.kind === "workload" && !isInside(endpoint))) return "TARGET_ABSENT";
  if (!isMesh(explaining)) return "DENY_UNREPRESENTABLE";
  if (intersect(on, TCP).length === 0) return "PROTOCOL_UNSUPPORTED";
  return ends.some(({ end }) => sharesAccount(explaining.intent, end)) ? "IDENTITY_SHARED" : "TARGET_ABSENT";
}

/** Whether other roles run under the account of an end: to who looks at certificates they are one. */
function sharesAccount({ catalogue }: Intent, end: FlowEnd): boolean {
  if (end.kind !== "workload") return false;
  const account = end.identity?.split("/").at(-1) ?? "";
  const view = catalogue.namespaces.get(end.namespace);
  return view !== undefined && rolesOfIdentity(view, account).length > 1;
}

/** `payments/web[Deployment] and 3 more`. */
function classText({ first, members }: EndClass): string {
  const text = textOf(first);
  return members.length === 1 ? text : `${text} and ${members.length - 1} more`;
}

const textOf = ({ end, endpoint }: EffectiveEnd): string =>
  endpoint.kind === "outside" && end.kind === "workload" ? endText(end) : endpoint.text;
