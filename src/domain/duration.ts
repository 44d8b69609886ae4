import { ok, refuse, type Result } from "./problem.ts";

const UNIT_SECONDS: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };

/** Reads a Go-style duration in whole hours, minutes and seconds (`4h`, `1h30m`, `90s`) as seconds, at least one. */
export function parseDuration(text: string, path: string): Result<number> {
  if (!/^(\d{1,6}h)?(\d{1,6}m)?(\d{1,8}s)?$/.test(text) || text === "") return notADuration(text, path);
  let seconds = 0;
  for (const part of text.matchAll(/(\d+)([hms])/g)) seconds += Number(part[1]) * (UNIT_SECONDS[part[2] ?? ""] ?? 0);
  return seconds > 0 ? ok(seconds) : notADuration(text, path);
}

const notADuration = (text: string, path: string): Result<never> =>
  refuse(
    "FIELD_INVALID",
    path,
    `"${text}" is not a duration.`,
    "Write hours, minutes and seconds, for example 4h or 1h30m.",
  );
