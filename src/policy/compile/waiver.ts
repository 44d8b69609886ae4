import type { Instant } from "../../domain/instant.ts";
import { WAIVED_BY_NAME, type Waiver } from "../../domain/sentences.ts";
import type { Intent } from "../intent/intent.ts";
import { inForce } from "../../domain/catalogue.ts";
import type { Loss } from "./loss.ts";

/** The waivers of the guardrails in force. */
export const waiversIn = ({ catalogue }: Intent): readonly Waiver[] =>
  catalogue.definitions.guardrails.filter(inForce).flatMap(({ waivers = [] }) => waivers);

/** The losses that no waiver in force covers: while there is one, nothing is published. */
export const unwaived = (losses: readonly Loss[], waivers: readonly Waiver[], now: Instant): readonly Loss[] =>
  losses.filter((loss) => !waivers.some((waiver) => now < waiver.until && covers(waiver, loss)));

const covers = (waiver: Waiver, { code, rule }: Loss): boolean =>
  waiver.code === code && (waiver.rule === undefined ? !WAIVED_BY_NAME.has(code) : waiver.rule === rule);
