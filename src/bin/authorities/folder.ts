import { join } from "node:path";

/** Where a standalone server keeps its authorities. */
export const authoritiesIn = (state: string): string => join(state, "authorities");

/** Files in it by which people and the server speak: what is asked, what came of it, where things stand. No key is in them. */
export const MESSAGES = { ask: "ask.json", answer: "answer.json", status: "status.json" } as const;
