import { problemLine, type Result } from "../domain/problem.ts";
import { type Raw, rawAt, textAt } from "../wire/read-object.ts";
import type { KubeClient } from "./client.ts";
import { CONFIG_MAPS, type ObjectName } from "./resources.ts";

/** A ConfigMap by which people and Signet speak: what is asked stands under one key, the answer under another. */
export type AskMap = {
  /** What was asked and not answered yet; undefined where nothing was, or where there is no such ConfigMap. */
  readonly take: () => Promise<string | undefined>;
  /** Puts the answer there, and takes the ask away with the same write. */
  readonly answer: (text: string) => Promise<void>;
};

/** Keys of the ConfigMap. */
export const ASK_KEYS = { ask: "ask.json", answer: "answer.json" } as const;

/** The ConfigMap of that name. */
export function askMap(client: Pick<KubeClient, "get" | "patch">, name: ObjectName): AskMap {
  return {
    take: async () => {
      const found = await client.get(CONFIG_MAPS, name);
      if (!found.ok && found.problems[0]?.code === "NOT_FOUND") return undefined;
      return textAt(rawAt(must(found), "data"), ASK_KEYS.ask);
    },
    answer: async (text) => {
      const body = { data: { [ASK_KEYS.ask]: null, [ASK_KEYS.answer]: text } };
      must(await client.patch(CONFIG_MAPS, name, { type: "merge", body }));
    },
  };
}

function must(result: Result<Raw>): Raw {
  if (!result.ok) throw new Error(result.problems.map(problemLine).join("; "));
  return result.value;
}
