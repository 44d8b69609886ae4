import type { FlowEnd } from "../../domain/flow.ts";
import type { PortSpec } from "../../domain/sentences.ts";
import { EVERY_PASSAGE, passageAt, type PassageSet, passagesOf } from "../intent/passages.ts";
import { pairs, sameSet, subtract, uniteAll } from "../sets/intervals.ts";

/**
 * What of `on` remains once `denied` is taken away. Named ports have no number before a destination is known: a denial by
 * name takes all of its protocol, and a name that meets any denial of its protocol is taken.
 */
export function lessPorts(on: readonly PortSpec[], denied: readonly PortSpec[]): readonly PortSpec[] {
  const gone = uniteAll(denied.map(atMost));
  const names = on.filter((spec) => "portName" in spec && sameSet(subtract(atMost(spec), gone), atMost(spec)));
  const numbered = on.filter((spec) => !("portName" in spec));
  const left = subtract(passagesOfNumbered(numbered), gone);
  return sameSet(left, passagesOfNumbered(numbered)) ? [...numbered, ...names] : [...specsOf(left), ...names];
}

/** What of a denial remains once an exception lifts `lifted`. A name may lead anywhere, so it is not lifted, and lifts nothing. */
export function stillDenied(denied: readonly PortSpec[], lifted: readonly PortSpec[]): readonly PortSpec[] {
  const named = denied.filter((spec) => "portName" in spec);
  const left = subtract(
    passagesOfNumbered(denied.filter((spec) => !("portName" in spec))),
    passagesOfNumbered(lifted.filter((spec) => !("portName" in spec))),
  );
  return [...specsOf(left), ...named];
}

/** No workload: numbered ports mean the same towards every destination. */
const ANYONE: FlowEnd = { kind: "outside" };

/** The passages of ports that are numbers. */
export const passagesOfNumbered = (on: readonly PortSpec[]): PassageSet =>
  uniteAll(on.map((spec) => passagesOf(spec, ANYONE)));

/** Everything that an entry may mean. */
const atMost = (spec: PortSpec): PassageSet =>
  "portName" in spec
    ? passagesOf({ protocol: spec.protocol, first: 1, last: 65535 }, ANYONE)
    : passagesOf(spec, ANYONE);

/** A set of passages as entries of `on`. */
export function specsOf(set: PassageSet): readonly PortSpec[] {
  if (sameSet(set, EVERY_PASSAGE)) return [{ protocol: "any" }];
  return pairs(set).flatMap(([from, until]) => {
    const [first, last] = [passageAt(from), passageAt(until - 1)];
    if ("port" in first && "port" in last)
      return [{ protocol: first.protocol, first: first.port, last: last.port } as const];
    return "type" in first && "type" in last ? messages(first, last) : [];
  });
}

type Message = { readonly protocol: "icmp" | "icmpv6"; readonly type?: number };

function messages({ protocol, type: from = 0 }: Message, { type: to = 255 }: Message): readonly PortSpec[] {
  if (from === 0 && to === 255) return [{ protocol }];
  return Array.from({ length: to - from + 1 }, (_, index) => ({ protocol, type: from + index }));
}
