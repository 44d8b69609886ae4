import type { FlowData, Passage } from "../../domain/flow.ts";
import type { Instant } from "../../domain/instant.ts";
import { decide, type Verdict } from "../evaluate/decide.ts";
import type { Evaluator } from "../evaluate/evaluator.ts";
import { allowedPorts, passesPortless } from "../evaluate/slices.ts";
import type { Intent } from "../intent/intent.ts";
import { EVERY_PASSAGE, passageKey, PORT_PASSAGES, type PassageSet } from "../intent/passages.ts";
import { openPassages, sliceIntent } from "../intent/slices.ts";
import { type IntentVerdict, verdictOn } from "../intent/verdict.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { intersect, subtract, unite } from "../sets/intervals.ts";
import type { EffectiveEnd } from "./end.ts";

/** What foreign policies say: of a port their verdict with its rules, of an ICMP message whether they leave it alone. */
export type ForeignVerdict = { readonly allowed: boolean; readonly ports?: Verdict };

/** The verdict of our kinds and of the foreign policies beside them; both must allow. */
export type EffectiveVerdict = {
  readonly allowed: boolean;
  readonly ours: IntentVerdict;
  readonly foreign: ForeignVerdict;
};

/** A flow between ends as both sides see them. */
export type EffectiveFlow = {
  readonly from: EffectiveEnd;
  readonly to: EffectiveEnd;
  readonly passage: Passage;
  readonly data?: FlowData;
};

/** Both verdicts on one flow at an instant. */
export function effectiveVerdict(
  intent: Intent,
  evaluator: Evaluator,
  { from, to, passage, data }: EffectiveFlow,
  now: Instant,
): EffectiveVerdict {
  const ours = verdictOn(intent, { from: from.end, to: to.end, passage, ...(data ? { data } : {}) }, now);
  const foreign = foreignVerdict(evaluator, from, to, passage);
  return { allowed: ours.allowed && foreign.allowed, ours, foreign };
}

/** Kubernetes policies speak of ports: messages of ICMP are meant only by rules that name none. */
function foreignVerdict(evaluator: Evaluator, from: EffectiveEnd, to: EffectiveEnd, passage: Passage): ForeignVerdict {
  const [source, destination] = [evaluator.classOf(from.endpoint), evaluator.classOf(to.endpoint)];
  if (!("port" in passage)) return { allowed: passesPortless(evaluator, source, destination) };
  const ports = decide(evaluator, source, destination, passageKey(passage));
  return { allowed: ports.allowed, ports };
}

/** Everything that is open between two ends under both. */
export function effectivePassages(
  intent: Intent,
  evaluator: Evaluator,
  [from, to]: readonly [EffectiveEnd, EffectiveEnd],
  now: Instant,
): PassageSet {
  const open = foreignPassages(evaluator, from.endpoint, to.endpoint);
  return open.length === 0 ? open : intersect(openPassages(sliceIntent(intent, from.end, to.end, now)), open);
}

/** What foreign policies leave open between two endpoints. */
export function foreignPassages(evaluator: Evaluator, from: Endpoint, to: Endpoint): PassageSet {
  const [source, destination] = [evaluator.classOf(from), evaluator.classOf(to)];
  const ports = allowedPorts(evaluator, source, destination);
  return passesPortless(evaluator, source, destination) ? unite(ports, MESSAGES) : ports;
}

const MESSAGES: PassageSet = subtract(EVERY_PASSAGE, PORT_PASSAGES);
