import { formatInstant, type Instant } from "../domain/instant.ts";
import type { ProblemCode } from "../domain/problem-codes.ts";

/** What every record of a request for a token says. */
type Asked = {
  readonly at: Instant;
  readonly door: string;
  readonly caller: string;
  readonly subject: string;
  readonly audiences: readonly string[];
};

/** One line of the ledger about a JWT-SVID that was asked for. The token itself stands nowhere. */
export type TokenRecord =
  | (Asked & {
      readonly outcome: "issued";
      /** The claim `jti`. */
      readonly id: string;
      readonly spiffeId: string;
      readonly expiresAt: Instant;
      readonly kid: string;
    })
  | (Asked & { readonly outcome: "refused"; readonly code: ProblemCode; readonly message: string });

/** The record as JSON; when and about whom stand beside it in the ledger. */
export function renderTokenRecord({ at: _at, subject: _subject, ...record }: TokenRecord): string {
  if (record.outcome === "refused") return JSON.stringify(record);
  return JSON.stringify({ ...record, expiresAt: formatInstant(record.expiresAt) });
}
