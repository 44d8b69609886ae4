import { problemLine, type Result } from "../domain/problem.ts";
import { type Raw, rawAt, textAt } from "../wire/read-object.ts";
import type { KubeClient } from "./client.ts";
import { CONFIG_MAPS, type ObjectName } from "./resources.ts";

/** A ConfigMap by which people and Signet speak: what is asked stands under one key, the answer under another. */
export type AskMap = {
  /** What was asked and not answered yet; undefined where nothing was, or where there is no such ConfigMap. */
  readonly take: () => Promise<string | undefined>;
  /** Puts the answer to an ask there, and takes that ask away with the same write; a newer one stays, to be taken next. */
  readonly answer: (ask: string, text: string) => Promise<void>;
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
    answer: async (ask, text) => {
      const path = `/data/${ASK_KEYS.ask}`;
      const body = [
        { op: "test", path, value: ask },
        { op: "remove", path },
        { op: "add", path: `/data/${ASK_KEYS.answer}`, value: text },
      ];
      const answered = await client.patch(CONFIG_MAPS, name, { type: "json", body });
      const isOther = !answered.ok && answered.problems[0]?.code === "API_REFUSED";
      const alone = { type: "merge", body: { data: { [ASK_KEYS.answer]: text } } } as const;
      must(isOther ? await client.patch(CONFIG_MAPS, name, alone) : answered);
    },
  };
}

function must(result: Result<Raw>): Raw {
  if (!result.ok) throw new Error(result.problems.map(problemLine).join("; "));
  return result.value;
}
