import { problemLine, type Result } from "../domain/problem.ts";
import { type Raw, rawAt, textAt } from "../wire/read-object.ts";
import type { KubeClient } from "./client.ts";
import { versionOf } from "./object-cache.ts";
import { type ObjectName, SECRETS } from "./resources.ts";

/** A text in a Secret of its own, as it was read; the version is empty where there is no Secret. */
export type SecretText = { readonly text: string | undefined; readonly version: string };

const KEY = "state.json";

/** Reads it; throws where the API server cannot be asked. */
export async function readSecretText(client: Pick<KubeClient, "get">, name: ObjectName): Promise<SecretText> {
  const found = await client.get(SECRETS, name);
  if (!found.ok && found.problems[0]?.code !== "NOT_FOUND") throw new Error(found.problems.map(problemLine).join("; "));
  if (!found.ok) return { text: undefined, version: "" };
  const kept = textAt(rawAt(found.value, "data"), KEY);
  const text = kept === undefined ? undefined : Buffer.from(kept, "base64").toString("utf8");
  return { text, version: versionOf(found.value) };
}

/** Writes it where nobody wrote since the version; false where somebody did. */
export async function writeSecretText(
  client: Pick<KubeClient, "create" | "patch">,
  name: ObjectName,
  text: string,
  version: string,
): Promise<boolean> {
  const data = { [KEY]: Buffer.from(text).toString("base64") };
  const fresh = { apiVersion: "v1", kind: "Secret", metadata: name, type: "Opaque", data };
  const body = { metadata: { resourceVersion: version }, data };
  const written: Result<Raw> =
    version === "" ? await client.create(SECRETS, fresh) : await client.patch(SECRETS, name, { type: "merge", body });
  if (written.ok) return true;
  if (written.problems[0]?.code === "API_CONFLICT") return false;
  throw new Error(written.problems.map(problemLine).join("; "));
}
