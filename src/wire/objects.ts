import { ok, type Problem, refuseAll, type Result } from "../domain/problem.ts";
import { type Document, type FieldPath, readDocuments } from "./documents.ts";
import { isRaw, type Place, problemAt, type Raw, rawAt, textAt } from "./read-object.ts";

/** One Kubernetes object of an input, still raw, with the place it came from. */
export type KubeObject = Place & {
  readonly apiVersion: string;
  readonly kind: string;
  /** `metadata.namespace`, or empty. */
  readonly namespace: string;
  /** `metadata.name`, or empty where only `generateName` is there. */
  readonly name: string;
  readonly raw: Raw;
};

/** A text as the shells hand it in. */
export type InputFile = { readonly name: string; readonly text: string };

/** What a set of files holds: objects in their order, and documents that are no Kubernetes objects. */
export type Objects = { readonly objects: readonly KubeObject[]; readonly others: readonly Document[] };

/** Most bytes of one input file. */
export const MAX_FILE_BYTES = 32 * 1024 * 1024;

/** Reads every object of the files; Lists are unfolded. One broken file refuses the whole, with every place named. */
export function readObjects(files: readonly InputFile[]): Result<Objects> {
  const objects: KubeObject[] = [];
  const others: Document[] = [];
  const problems: Problem[] = [];
  for (const file of files) {
    const read = readFile(file);
    if (!read.ok) problems.push(...read.problems);
    else for (const document of read.value) sort(document, [], document.value, objects, others, problems);
  }
  return problems.length > 0 ? refuseAll(problems) : ok({ objects, others });
}

function readFile(file: InputFile): Result<readonly Document[]> {
  if (file.text.length <= MAX_FILE_BYTES) return readDocuments(file.text, file.name);
  return refuseAll([
    {
      code: "INPUT_TOO_LARGE",
      path: "",
      message: `The file has more than ${MAX_FILE_BYTES / 1024 / 1024} MiB.`,
      mend: "Split it.",
      source: { file: file.name, line: 1, column: 1 },
    },
  ]);
}

function sort(
  document: Document,
  base: FieldPath,
  value: unknown,
  objects: KubeObject[],
  others: Document[],
  problems: Problem[],
): void {
  if (!isRaw(value) || textAt(value, "kind") === undefined || textAt(value, "apiVersion") === undefined) {
    others.push(document);
    return;
  }
  const items = value["items"];
  if (!(textAt(value, "kind") ?? "").endsWith("List") || !Array.isArray(items)) {
    const read = kubeObject(document, base, value);
    if (read.ok) objects.push(read.value);
    else problems.push(...read.problems);
    return;
  }
  const item = { apiVersion: value["apiVersion"], kind: (textAt(value, "kind") ?? "").slice(0, -"List".length) };
  for (const [index, one] of items.entries()) {
    const whole = isRaw(one) && item.kind !== "" ? { ...item, ...one } : one;
    sort(document, [...base, "items", index], whole, objects, others, problems);
  }
}

/** The object at a place of a document; refuses metadata whose names are no texts. */
export function kubeObject(document: Document, base: FieldPath, raw: Raw): Result<KubeObject> {
  const place = { document, base };
  const metadata = rawAt(raw, "metadata");
  const problems: Problem[] = [];
  if (raw["metadata"] !== undefined && !isRaw(raw["metadata"]))
    problems.push(notText(place, ["metadata"], "an object"));
  for (const key of ["name", "namespace", "generateName"] as const)
    if (metadata[key] !== undefined && metadata[key] !== null && typeof metadata[key] !== "string")
      problems.push(notText(place, ["metadata", key], "a text"));
  if (problems.length > 0) return refuseAll(problems);
  return ok({
    ...place,
    apiVersion: textAt(raw, "apiVersion") ?? "",
    kind: textAt(raw, "kind") ?? "",
    namespace: textAt(metadata, "namespace") ?? "",
    name: textAt(metadata, "name") ?? "",
    raw,
  });
}

const notText = (place: Place, path: FieldPath, what: string): Problem =>
  problemAt(place, path, {
    code: "FIELD_INVALID",
    message: `The value must be ${what}.`,
    mend: "Quote it where YAML reads it as something else.",
  });
