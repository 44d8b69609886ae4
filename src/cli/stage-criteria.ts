import { makeCatalogue } from "../domain/catalogue.ts";
import type { Mode, Segment } from "../domain/definitions.ts";
import type { Instant } from "../domain/instant.ts";
import type { ScannedWorkload } from "../reconcile/scan/scan.ts";
import { scanOf } from "./report-model.ts";
import type { Running } from "./running.ts";

/** The stages of a segment, in their order (product, "Start small, stage by stage"). */
export const STAGES: readonly Mode[] = ["observe", "simulate", "canary", "enforce"];

/** Where a segment is to go. */
export type Stage = { readonly mode: Mode; readonly canary: Segment["canary"] };

/** What moving a segment means for what runs. */
export type Criteria = {
  /** How many workloads run in its namespaces. */
  readonly workloads: number;
  /** Those that would not start again there, once it is in force as wished. */
  readonly refused: readonly ScannedWorkload[];
  /** Its namespaces in which nothing is refused whatever the mode. */
  readonly notEnrolled: readonly string[];
};

/**
 * Judges what runs as if the segment were in that stage already. Observing stages refuse nothing, so that they are judged as
 * enforce: what would have to be mended until then.
 */
export function criteriaOf({ catalogue, workloads }: Running, segment: Segment, stage: Stage, now: Instant): Criteria {
  const binding = stage.mode === "canary" ? stage : { ...stage, mode: "enforce" as const };
  const { definitions } = catalogue;
  const segments = definitions.segments.map((one) => (one.name === segment.name ? { ...one, ...binding } : one));
  const owned = [...catalogue.namespaces.values()].filter((view) =>
    view.segments.some(({ name }) => name === segment.name),
  );
  const names = new Set(owned.map(({ name }) => name));
  const own = workloads.filter(({ namespace }) => names.has(namespace));
  const scan = scanOf(makeCatalogue({ ...definitions, segments }, ""), own, { now });
  const found = scan.namespaces().flatMap((namespace) => scan.workloads(namespace));
  return {
    workloads: own.length,
    refused: found.filter(({ outcome }) => outcome === "fail"),
    notEnrolled: owned.filter(({ enrolled }) => !enrolled).map(({ name }) => name),
  };
}
