import { ok, refuse, type Result } from "../domain/problem.ts";

/** A step that a person may ask for. */
export type AuthorityAsk =
  | { readonly step: "request" | "pause" | "resume" }
  | { readonly step: "withdraw" | "activate"; readonly id: string };

const PLAIN = ["request", "pause", "resume"] as const;
const NAMED = ["withdraw", "activate"] as const;

/** Reads what somebody asked for, from JSON; refuses everything else with FIELD_INVALID. */
export function readAuthorityAsk(text: string): Result<AuthorityAsk> {
  const { step, id } = fieldsOf(text);
  const plain = PLAIN.find((each) => each === step);
  if (plain && id === undefined) return ok({ step: plain });
  const named = NAMED.find((each) => each === step);
  if (named && typeof id === "string" && /^[0-9a-f]{2,40}$/.test(id)) return ok({ step: named, id });
  return refuse("FIELD_INVALID", "step", "This is not a step that can be asked for.", "`signet ca rotate` writes one.");
}

function fieldsOf(text: string): { readonly step?: unknown; readonly id?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
