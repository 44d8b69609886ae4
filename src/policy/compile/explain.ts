import { endText } from "../../domain/flow.ts";
import type { EffectiveEnd } from "../effective/end.ts";
import { passagesText } from "../intent/passages.ts";
import { type Comparison, type Difference, differencesIn } from "./compare.ts";
import type { Loss, ResidualPair } from "./loss.ts";
import type { Ends } from "./rows.ts";

/**
 * Puts differences down to the lines they are about: one loss for each line, code and effect, with its pairs. `isCounted`:
 * which of them count; absent: all.
 */
export function lossesOf(
  comparison: Comparison,
  isCounted: (difference: Difference) => boolean = () => true,
): readonly Loss[] {
  const { target } = comparison.judged;
  const losses = new Map<string, { loss: Loss; workloads: Set<string>; residual: ResidualPair[] }>();
  for (const { from, to, part } of differencesIn(comparison).filter(isCounted)) {
    const { rule, code, effect, on } = part;
    const key = `${rule}\n${code}\n${effect}`;
    const known = losses.get(key) ?? {
      loss: { target, code, effect, rule, workloads: [], residual: [] },
      workloads: new Set<string>(),
      residual: [],
    };
    losses.set(key, known);
    const pairs = from.members.length * to.members.length;
    known.residual.push({ from: endsText(from), to: endsText(to), on: passagesText(on), pairs });
    for (const one of [...from.members, ...to.members])
      if (one.end.kind === "workload") known.workloads.add(textOf(one));
  }
  return [...losses.values()]
    .map(({ loss, workloads, residual }) => ({ ...loss, workloads: [...workloads].sort(), residual }))
    .sort((a, b) => compare(a.rule, b.rule) || compare(a.code, b.code) || compare(a.effect, b.effect));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** How many of some ends are named. */
const NAMED = 3;

/** `payments/web[Deployment], payments/api[Deployment], payments/db[StatefulSet] and 3 more`. */
function endsText({ members }: Ends): string {
  const names = [...new Set(members.map(textOf))];
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return `${names.slice(0, NAMED).join(", ")}${more}`;
}

const textOf = ({ end, endpoint }: EffectiveEnd): string =>
  endpoint.kind === "outside" && end.kind === "workload" ? endText(end) : endpoint.text;
