import { isRaw, textAt } from "../wire/read-object.ts";
import { ApiFault, type KubeClient } from "./client.ts";

/**
 * Plural names of what the API server serves in one version of a group, by its path; none where it has no such version. Any
 * other answer is thrown: what was not learnt is not absent.
 */
export async function servedPlurals(client: Pick<KubeClient, "call">, path: string): Promise<ReadonlySet<string>> {
  const call = { method: "GET", path } as const;
  const answer = await client.call(call);
  if (answer.status === 404) return new Set();
  const resources = isRaw(answer.body) ? answer.body["resources"] : undefined;
  if (answer.status !== 200 || !Array.isArray(resources)) throw new ApiFault(call, answer);
  return new Set(resources.filter(isRaw).flatMap((each) => textAt(each, "name") ?? []));
}
