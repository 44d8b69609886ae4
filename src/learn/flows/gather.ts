import type { Instant } from "../../domain/instant.ts";
import type { FlowEdge, FlowLine, SeenFlow } from "../../domain/seen-flow.ts";

/** What the lines of a source come to. */
export type Gathered = {
  readonly edges: readonly FlowEdge[];
  /** How many connections the edges count. */
  readonly flows: number;
  /** How many events the source says it lost: for so many there is no evidence. */
  readonly lost: number;
  /** How many lines are no flows to judge, by what they are of. */
  readonly leftOut: ReadonlyMap<string, number>;
};

/** Adds up flows by both ends, port and verdict. One without a time counts as seen `now`. */
export function gatherFlows(lines: Iterable<FlowLine>, now: Instant): Gathered {
  const edges = new Map<string, FlowEdge>();
  const leftOut = new Map<string, number>();
  let lost = 0;
  for (const line of lines) {
    if (line.kind === "lost") lost += line.count;
    else if (line.kind === "leftOut") leftOut.set(line.what, (leftOut.get(line.what) ?? 0) + 1);
    else addFlow(edges, line.flow, now);
  }
  const all = [...edges.values()];
  return { edges: all, flows: all.reduce((sum, { count }) => sum + count, 0), lost, leftOut };
}

function addFlow(edges: Map<string, FlowEdge>, { at: seen, ...flow }: SeenFlow, now: Instant): void {
  const at = seen ?? now;
  const key = `${flow.from}\n${flow.to}\n${flow.port}\n${flow.verdict}`;
  const { count, first, last } = edges.get(key) ?? { count: 0, first: at, last: at };
  edges.set(key, {
    ...flow,
    count: Math.min(count + flow.count, Number.MAX_SAFE_INTEGER),
    first: Math.min(first, at),
    last: Math.max(last, at),
  });
}
