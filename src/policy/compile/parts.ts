import type { Instant } from "../../domain/instant.ts";
import { rolesOfIdentity } from "../../domain/catalogue.ts";
import type { LossCode } from "../../domain/loss-codes.ts";
import type { FlowEnd } from "../../domain/flow.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import type { Intent } from "../intent/intent.ts";
import { type Line, rulingText } from "../intent/line.ts";
import { PORT_PASSAGES, type PassageSet } from "../intent/passages.ts";
import { sliceIntent } from "../intent/slices.ts";
import { type IntentVerdict, rulingsOf } from "../intent/verdict.ts";
import { enclosureText } from "../intent/words.ts";
import { isInside } from "../model/endpoint.ts";
import { intersect, subtract } from "../sets/intervals.ts";
import type { Effect } from "./loss.ts";
import { admittedBy, type Plane } from "./plane.ts";
import { passagesOfNumbered } from "./ports.ts";

/** What explanations rest on: the planes as they act, and the same with only what was compiled. */
export type Explaining = {
  readonly intent: Intent;
  readonly now: Instant;
  readonly target: string;
  /** The planes without foreign policies, to tell whose doing a difference is. */
  readonly own: readonly Plane[];
};

/** Ways to talk that planes and intent treat otherwise, put down to one rule. */
export type Part = {
  readonly rule: string;
  readonly code: LossCode;
  readonly effect: Effect;
  readonly on: PassageSet;
  /** The same for parts that say the same. */
  readonly key: string;
};

type Unkeyed = Omit<Part, "key">;

/** How planes differ between two ends: what they admit and the intent does not, and what it opens and they do not admit. */
export type Differing = { readonly wider: PassageSet; readonly narrower: PassageSet };

/** What differs between two ends, parted by the rules that decide on it and by whose doing it is. */
export function partsOf(
  explaining: Explaining,
  from: EffectiveEnd,
  to: EffectiveEnd,
  { wider, narrower }: Differing,
): readonly Part[] {
  const { intent, now, own } = explaining;
  const ownAdmits = admittedBy(own, from, to);
  return sliceIntent(intent, from.end, to.end, now)
    .flatMap(({ passages, verdict }) => {
      const on = intersect(passages, verdict.allowed ? narrower : wider);
      const [open, closed] = [intersect(on, ownAdmits), subtract(on, ownAdmits)];
      return verdict.allowed
        ? [...openers(verdict, "FOREIGN_DENY", open), ...narrowedBy(explaining, [from, to], verdict, closed)]
        : [
            ...closers(verdict, "FOREIGN_ALLOW", closed),
            ...closers(verdict, asMessages(open) ?? widened(explaining, [from, to], open), open),
          ];
    })
    .filter((part) => part.on.length > 0)
    .map((part) => ({ ...part, key: [part.rule, part.code, part.effect, part.on.join()].join("\n") }));
}

/** What of an end words for a difference hang on, beside the rules that decide. */
export const wordsOf = (explaining: Explaining, { end, endpoint }: EffectiveEnd): string =>
  [
    isInside(endpoint) && endpoint.traits.host ? "host" : endpoint.kind,
    isBesideCanary(explaining.intent, end),
    isMesh(explaining) && sharesAccount(explaining.intent, end),
  ].join();

/** What opens a flow, by rule: lines, `intra: allow`, or that nothing encloses either end. */
const openers = (verdict: IntentVerdict, code: LossCode, on: PassageSet): readonly Unkeyed[] =>
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
): readonly Unkeyed[] {
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
const closers = (verdict: IntentVerdict, code: LossCode, on: PassageSet): readonly Unkeyed[] => [
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
