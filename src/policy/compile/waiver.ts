import type { Instant } from "../../domain/instant.ts";
import type { Waiver } from "../../domain/sentences.ts";
import type { Intent } from "../intent/intent.ts";
import { inForce } from "../../domain/catalogue.ts";
import type { Loss } from "./loss.ts";

/** The waivers of the guardrails in force. */
export const waiversIn = ({ catalogue }: Intent): readonly Waiver[] =>
  catalogue.definitions.guardrails.filter(inForce).flatMap(({ waivers = [] }) => waivers);

/** The losses that no waiver in force covers: while there is one, nothing is published. */
export const unwaived = (losses: readonly Loss[], waivers: readonly Waiver[], now: Instant): readonly Loss[] =>
  losses.filter(({ code }) => !waivers.some((waiver) => waiver.code === code && now < waiver.until));
