import type { KubeObject } from "../wire/objects.ts";
import { type Raw, rawAt, textAt } from "../wire/read-object.ts";

/** An object of the API server for the readers of definitions; its source is `KIND/NAMESPACE/NAME`, since it has no file. */
export function liveObject(raw: Raw): KubeObject {
  const metadata = rawAt(raw, "metadata");
  const [kind, namespace, name] = [textAt(raw, "kind") ?? "", textAt(metadata, "namespace"), textAt(metadata, "name")];
  const file = [kind, namespace, name].filter((part) => part !== undefined).join("/");
  return {
    document: { value: raw, file, locate: () => ({ file, line: 1, column: 1 }) },
    base: [],
    apiVersion: textAt(raw, "apiVersion") ?? "",
    kind,
    namespace: namespace ?? "",
    name: name ?? "",
    raw,
  };
}
