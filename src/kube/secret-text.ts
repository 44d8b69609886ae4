import { problemLine } from "../domain/problem.ts";
import { type Raw, rawAt, textAt } from "../wire/read-object.ts";
import type { KubeClient } from "./client.ts";
import { type ObjectName, SECRETS } from "./resources.ts";

/** A text in a Secret of its own, as it was read. */
export type SecretText = { readonly text: string | undefined; readonly version: unknown };

const KEY = "state.json";

/** Reads it; throws where the API server cannot be asked. */
export async function readSecretText(client: Pick<KubeClient, "get">, name: ObjectName): Promise<SecretText> {
  const found = await client.get(SECRETS, name);
  if (!found.ok && found.problems[0]?.code !== "NOT_FOUND") throw new Error(found.problems.map(problemLine).join("; "));
  if (!found.ok) return { text: undefined, version: undefined };
  const kept = textAt(rawAt(found.value, "data"), KEY);
  const text = kept === undefined ? undefined : Buffer.from(kept, "base64").toString("utf8");
  return { text, version: found.value };
}

/** Writes it where nobody wrote since; false where somebody did. */
export async function writeSecretText(
  client: Pick<KubeClient, "create" | "update">,
  name: ObjectName,
  { version }: SecretText,
  text: string,
): Promise<boolean> {
  const data = { [KEY]: Buffer.from(text).toString("base64") };
  const fresh = { apiVersion: "v1", kind: "Secret", metadata: name, type: "Opaque", data };
  const written = isSecret(version)
    ? await client.update(SECRETS, { ...version, data })
    : await client.create(SECRETS, fresh);
  if (written.ok) return true;
  if (written.problems[0]?.code === "API_CONFLICT") return false;
  throw new Error(written.problems.map(problemLine).join("; "));
}

const isSecret = (value: unknown): value is Raw => typeof value === "object" && value !== null;
