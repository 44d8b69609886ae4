import type { Exception } from "./definitions.ts";
import type { Instant } from "./instant.ts";

/** Where an exception stands at an instant; only an active one counts. */
export type ExceptionState = "active" | "expired" | "not yet" | "unapproved";

/** The state of an exception; approval is asked first, as admission does. */
export function exceptionState(exception: Exception, now: Instant): ExceptionState {
  if (exception.approval.state === "missing") return "unapproved";
  if (exception.notBefore !== undefined && now < exception.notBefore) return "not yet";
  return now < exception.expires ? "active" : "expired";
}
