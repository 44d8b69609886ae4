import type { Instant } from "../../domain/instant.ts";
import type { PodCertificateAsk } from "../../wire/pod-certificate.ts";
import type { EventAction, EventBudget } from "../events.ts";
import type { Outcome } from "./decide.ts";

/** The Event on a Pod whose certificate waits: why, and which command says more. Undefined where it was told often enough. */
export function waitingEvent(
  budget: EventBudget,
  { namespace, pod }: PodCertificateAsk,
  { reason, message }: Extract<Outcome, { do: "wait" }>,
  now: Instant,
): EventAction | undefined {
  if (!budget.take(pod.uid, now)) return undefined;
  const note = `The certificate waits: ${message} It is issued as soon as that is mended.`;
  return {
    do: "emitEvent",
    regarding: { kind: "Pod", namespace, ...pod },
    type: "Warning",
    reason,
    action: "Certificate",
    note: note.slice(0, 1024),
  };
}
