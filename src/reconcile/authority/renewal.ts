import type { Instant } from "../../domain/instant.ts";
import type { AuthoritySet } from "./authority-set.ts";
import type { Pace } from "./pace.ts";

/** What is looked at of a certificate: its number, lower-case hexadecimal, and the key identifier of who signed it. */
export type Held = { readonly serial: string; readonly authority: string };

/**
 * When the holder of a certificate should renew it because its authority is tainted; undefined where it need not. Serial
 * numbers are random, so their first bits spread holders evenly over the pace.
 */
export function renewAfterTaint({ authorities }: AuthoritySet, held: Held, { reissueMs }: Pace): Instant | undefined {
  const by = authorities.find(({ id }) => id === held.authority);
  if (by?.state !== "tainted") return undefined;
  return by.since + Math.floor((Number.parseInt(held.serial.slice(-6), 16) / 0x100_0000) * reissueMs);
}
