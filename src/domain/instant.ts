import { ok, refuse, type Result } from "./problem.ts";

/** A moment, in milliseconds since 1970-01-01T00:00:00Z. Pure code is handed one; it never reads a clock. */
export type Instant = number;

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:[Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** Reads an RFC 3339 date-time, as the Kubernetes API writes it. 30 February is refused, not moved to March. */
export function parseInstant(text: string, path: string): Result<Instant> {
  const parts = RFC3339.exec(text);
  const at = parts ? Date.parse(text) : Number.NaN;
  if (parts && !Number.isNaN(at) && dayExists(Number(parts[1]), Number(parts[2]), Number(parts[3]))) return ok(at);
  return refuse(
    "FIELD_INVALID",
    path,
    `"${text}" is not a date and time.`,
    "Write it as RFC 3339 says, for example 2027-01-31T00:00:00Z.",
  );
}

const dayExists = (year: number, month: number, day: number): boolean =>
  new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;

/** The moment as RFC 3339 in UTC, without fractions of a second. */
export const formatInstant = (at: Instant): string => `${new Date(at).toISOString().slice(0, -".000Z".length)}Z`;
