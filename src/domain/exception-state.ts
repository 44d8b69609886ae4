import type { Catalogue } from "./catalogue.ts";
import type { Exception } from "./definitions.ts";
import { capBegins } from "./exception-cap.ts";
import { isOfNamespace } from "./grants.ts";
import type { Instant } from "./instant.ts";

/** Where an exception stands at an instant; only an active one counts. */
export type ExceptionState =
  | "active"
  | "expired"
  | "not yet"
  | "too long"
  | "unapproved"
  | "unsigned"
  | "for another namespace";

/** The state of an exception; approval is asked first, as admission does. */
export function exceptionState(catalogue: Catalogue, exception: Exception, now: Instant): ExceptionState {
  if (exception.approval.state === "missing") return "unapproved";
  if (exception.approval.state === "unsigned") return "unsigned";
  if (!isOfNamespace(catalogue.definitions, exception)) return "for another namespace";
  if (exception.notBefore !== undefined && now < exception.notBefore) return "not yet";
  if (now >= exception.expires) return "expired";
  return now < (capBegins(exception, catalogue) ?? now) ? "too long" : "active";
}
