import type { Instant } from "../../domain/instant.ts";
import type { Loss, LossCode } from "./loss.ts";

/** A loss that somebody takes upon himself, until an end. */
export type Waiver = { readonly code: LossCode; readonly until: Instant };

/** The losses that no waiver in force covers: while there is one, nothing is published. */
export const unwaived = (losses: readonly Loss[], waivers: readonly Waiver[], now: Instant): readonly Loss[] =>
  losses.filter(({ code }) => !waivers.some((waiver) => waiver.code === code && now < waiver.until));
