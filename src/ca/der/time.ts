import type { Instant } from "../../domain/instant.ts";
import type { Value } from "./read.ts";
import { TAG } from "./write.ts";

/**
 * The moment of a UTCTime or GeneralizedTime in the one form that certificates may use: to the second, in UTC; years below 50
 * of a UTCTime are 20xx (RFC 5280 §4.1.2.5). Undefined where it has another form.
 */
export function instantOf({ tag, contents }: Value): Instant | undefined {
  const text = contents.toString("latin1");
  const digits = tag === TAG.utcTime ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits) ?? [];
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(at) || (tag !== TAG.utcTime && tag !== TAG.generalizedTime) ? undefined : at;
}
