import { formatInstant } from "../domain/instant.ts";
import type { Compilation } from "../policy/compile/compile.ts";
import { countPairs, type Loss, LOSSES, type ResidualPair } from "../policy/compile/loss.ts";

/** How many pairs a report shows of one loss. */
const SHOWN = 5;

/** What a compilation loses, a paragraph for each loss, and what keeps it from being published. */
export function lossReport({ compiled, losses, widening, nextChange }: Compilation, blocking: readonly Loss[]): string {
  const counts = [...compiled].map(([target, objects]) => `${objects.length} for ${target}`).join(", ");
  const next =
    nextChange === undefined ? "" : `The result changes at ${formatInstant(nextChange)}: compile again then.\n`;
  const end =
    blocking.length === 0
      ? `Objects: ${counts}. ${widening.length === 0 ? "They let through no more between workloads than is meant." : "What passes beyond what is meant is waived, or kept open to somebody under quarantine."}\n`
      : `Nothing is published: ${blocking.length === 1 ? "one loss lets" : `${blocking.length} losses let`} through more between workloads than is meant.\n`;
  return `${losses.map(lossText).join("")}${next}${end}`;
}

/** One loss: what, whose, why, what helps, and some of its pairs. */
export function lossText({ code, effect, rule, target, residual }: Loss): string {
  const { says, control } = LOSSES[code];
  return [
    `${effect.padEnd(10)} ${code}  ${rule} (${target})\n`,
    `           ${says} ${control}\n`,
    ...residual.slice(0, SHOWN).map(pairText),
    residual.length > SHOWN ? `           and ${countPairs(residual.slice(SHOWN))} more pairs\n` : "",
  ].join("");
}

const pairText = ({ from, to, on }: ResidualPair): string => `           ${from} -> ${to} on ${on}\n`;
