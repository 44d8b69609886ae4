import { ok, problem, refuseAll, type Result } from "../../domain/problem.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import { foreignPassages } from "../effective/verdict.ts";
import { makeEvaluator } from "../evaluate/evaluator.ts";
import { mayPass } from "../evaluate/may-pass.ts";
import { readWorld } from "../foreign/world.ts";
import type { PassageSet } from "../intent/passages.ts";
import type { Policy } from "../model/policy.ts";
import type { Bits } from "../reach/bits.ts";
import type { Rendered } from "./rendered.ts";

/** A data plane with rules loaded: what it lets through from one end to another. */
export type Plane = {
  readonly admits: (from: EffectiveEnd, to: EffectiveEnd) => PassageSet;
  /** Ends of one key are alike to it. */
  readonly keyOf: (end: EffectiveEnd) => string;
  /** For each end those that it may let it through to, by their places: all that `admits` lets through to, and maybe more. */
  readonly mayAdmit: (ends: readonly EffectiveEnd[]) => readonly Bits[];
};

/** Compiled objects as the policies they are, read by the reader for foreign ones. Refuses what the reader refuses. */
export function policiesOf(objects: readonly Rendered[]): Result<readonly Policy[]> {
  const read = readWorld(
    objects.map((value) => ({ value, locate: () => ({ file: value.metadata.name, line: 1, column: 1 }) })),
    { multipleNetworks: true, parseYaml: () => undefined },
  );
  if (!read.ok) return read;
  const { policies } = read.value;
  return policies.length === objects.length
    ? ok(policies)
    : refuseAll([problem("INTERNAL", "", `${objects.length - policies.length} compiled objects are no policies.`)]);
}

/**
 * The Pod network under these policies. Pods on the host network are seen by none of them, which is what most
 * implementations of NetworkPolicy do and what no compiler may rely on otherwise.
 */
export function kubernetesPlane(policies: readonly Policy[]): Plane {
  const evaluator = makeEvaluator(policies.map((policy) => ({ ...policy, seesHostNetwork: false })));
  return {
    keyOf: ({ endpoint }) => String(evaluator.classOf(endpoint)),
    admits: (from, to) => foreignPassages(evaluator, from.endpoint, to.endpoint),
    mayAdmit: (ends) =>
      mayPass(
        evaluator,
        ends.map(({ endpoint }) => endpoint),
      ),
  };
}
