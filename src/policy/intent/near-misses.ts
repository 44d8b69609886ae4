import type { Flow } from "../../domain/flow.ts";
import { formatInstant, type Instant } from "../../domain/instant.ts";
import { isActive } from "../../domain/sentences.ts";
import type { Idleness, Intent } from "./intent.ts";
import { type Line, rulingText } from "./line.ts";
import { meansEnd } from "./match-end.ts";
import { mayOpen } from "./pair.ts";
import { meansPassage } from "./passages.ts";
import { portsText } from "./words.ts";

/** Lines that would open a flow if it were not for one thing, each with that thing in words. */
export function nearMisses(intent: Intent, flow: Flow, now: Instant): readonly string[] {
  const opening = intent.lines.filter(({ kind }) => kind !== "deny");
  return [
    ...opening.filter((line) => meansEnds(line, flow)).flatMap((line) => missing(intent, line, flow, now) ?? []),
    ...intent.idle
      .filter(({ line }) => line.kind !== "deny" && meansEnds(line, flow) && isOn(line, flow))
      .map(({ line, because }) => `${rulingText(line)} ${IDLE_TEXT[because]}.`),
  ];
}

const meansEnds = (line: Line, { from, to }: Flow): boolean =>
  meansEnd(line.from, from) === "yes" && meansEnd(line.to, to) === "yes";

const isOn = (line: Line, { passage, to }: Flow): boolean => meansPassage(line.on, passage, to) === "yes";

function missing(intent: Intent, line: Line, flow: Flow, now: Instant): string | undefined {
  if (!isOn(line, flow)) return `${rulingText(line)} opens ${portsText(line.on)} only.`;
  if (!isActive(line, now)) return `${rulingText(line)} ${windowText(line, now)}.`;
  if (mayOpen(intent, line, flow.from, flow.to)) return undefined;
  return line.kind === "exception"
    ? `${rulingText(line)} is for role ${line.role}, which neither end holds.`
    : `${rulingText(line)} is written by segment ${line.segment}, which does not own the destination.`;
}

const windowText = ({ notBefore, expires }: Line, now: Instant): string =>
  notBefore !== undefined && now < notBefore
    ? `begins at ${formatInstant(notBefore)}`
    : `ended at ${formatInstant(expires ?? 0)}`;

/** Why an idle line counts for nothing, as the end of a sentence. */
export const IDLE_TEXT: Readonly<Record<Idleness, string>> = {
  unapproved: "is not approved",
  "segment-unknown": "belongs to a segment that is not in force",
  "namespace-not-owned": "stands in a namespace that its segment does not own",
  "namespace-other": "is signed for a namespace with another UID",
  "role-unknown": "is for a role that is not in force",
};
