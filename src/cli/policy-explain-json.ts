import type { ExplainedScene } from "../policy/analysis/explain.ts";
import type { Slice } from "../policy/evaluate/slices.ts";
import { portSetText } from "../policy/sets/port-set.ts";
import { networkText } from "./policy-listing-text.ts";
import { type DoorReason, doorReason } from "./policy-reasons.ts";

/** The explanations as plain data: for each pair its sets of ports, with the verdict and the reason at each door. */
export function renderExplainJson(scenes: readonly ExplainedScene[]): string {
  const several = scenes.length > 1;
  const pairs = scenes.flatMap(({ scene, explanations }) =>
    explanations.map(({ source, destination, parts, isolatedBy }) => ({
      ...(several ? { network: networkText(scene.network, "pod-network") } : {}),
      src: source.text,
      dst: destination.text,
      parts: parts.map(({ ports, allowed, egress, ingress, through }) => ({
        conn: portSetText(ports),
        allowed,
        egress: sliceReason(egress),
        ingress: sliceReason(ingress),
        ...(through
          ? {
              through: through.ways.map(
                ({ opening, service }) => `${opening.kind} ${opening.namespace}/${opening.name} by service ${service}`,
              ),
            }
          : {}),
      })),
      ...(isolatedBy ? { isolatedBy: isolatedBy.ends.map(({ network }) => networkText(network, "pod-network")) } : {}),
    })),
  );
  return `${JSON.stringify(pairs, null, 2)}\n`;
}

const sliceReason = ({ allowed, passes, because }: Slice): DoorReason => doorReason({ allowed, passes, because });
