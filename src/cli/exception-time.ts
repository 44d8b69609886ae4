import { parseDuration } from "../domain/duration.ts";
import { type Instant, parseInstant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";

/** How the end of an exception is written on the command line: as a moment, or as a span. */
export type EndOptions = { readonly expires?: string; readonly for?: string };

/** The end that is meant: `--expires`, or `--for` (`14d`, `72h`) after `from`. Exactly one of them. */
export function endOf(options: EndOptions, from: Instant): Result<Instant> {
  const { expires, for: span } = options;
  if ((expires === undefined) === (span === undefined))
    return refuse(
      "USAGE",
      "--expires",
      "An exception has an end.",
      "Write --expires TIME or --for 14d, one of the two.",
    );
  if (expires !== undefined) return parseInstant(expires, "--expires");
  const seconds = spanSeconds(span ?? "");
  return seconds.ok ? ok(from + seconds.value * 1000) : seconds;
}

function spanSeconds(text: string): Result<number> {
  const days = /^([1-9]\d{0,3})d$/.exec(text)?.[1];
  return days === undefined ? parseDuration(text, "--for") : ok(Number(days) * 86_400);
}
