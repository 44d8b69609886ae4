import type { Definitions } from "../../domain/catalogue.ts";
import { formatInstant } from "../../domain/instant.ts";
import type { Approvable } from "../../wire/definitions/approvable.ts";
import { type Said, said } from "./conditions.ts";

/** The condition FellBack of a segment that a watchdog let fall back; nothing is said of others. */
export function fallbackSaid({ object }: Approvable, { segments }: Definitions): Said | undefined {
  if (object.kind !== "Segment") return undefined;
  const fallback = segments.find(({ name }) => name === object.name)?.fallback;
  if (!fallback) return undefined;
  const { from, since, why } = fallback;
  const sentence = `It observes instead of ${from} since ${formatInstant(since)}: ${why}`;
  return said("FellBack", true, "Watchdog", `${sentence} Approve another generation to end this.`);
}
