import type { Catalogue } from "../../domain/catalogue.ts";
import type { Exception } from "../../domain/definitions.ts";
import { exceptionCapSeconds } from "../../domain/exception-cap.ts";
import { formatInstant, type Instant } from "../../domain/instant.ts";
import type { Obstacle } from "./conditions.ts";

/** Why an exception must not come into force now: it would last longer than its class allows. */
export function tooLong(exception: Exception, catalogue: Catalogue, now: Instant): Obstacle | undefined {
  const begins = Math.max(now, exception.notBefore ?? now);
  const latest = begins + exceptionCapSeconds(exception, catalogue) * 1000;
  if (exception.expires <= latest) return undefined;
  return {
    reason: "TooLong",
    message: `It ends at ${formatInstant(exception.expires)}; its class allows ${formatInstant(latest)} at the latest.`,
  };
}
