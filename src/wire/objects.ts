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
  const found: Found = { objects: [], others: [], problems: [] };
  for (const file of files) {
    const read = readFile(file);
    if (!read.ok) found.problems.push(...read.problems);
    else for (const document of read.value) sort({ document, base: [] }, document.value, found);
  }
  return found.problems.length > 0 ? refuseAll(found.problems) : ok(found);
}

type Found = { readonly objects: KubeObject[]; readonly others: Document[]; readonly problems: Problem[] };

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

function sort(place: Place, value: unknown, found: Found): void {
  if (!isRaw(value) || textAt(value, "kind") === undefined || textAt(value, "apiVersion") === undefined) {
    found.others.push(place.document);
    return;
  }
  const items = listItems(value);
  if (items)
    for (const [index, one] of items.entries()) sort({ ...place, base: [...place.base, "items", index] }, one, found);
  else {
    const read = kubeObject(place, value);
    if (read.ok) found.objects.push(read.value);
    else found.problems.push(...read.problems);
  }
}

/** The items of a List; those of a typed list (`PodList`) may lack their kind. Undefined where it is no list. */
function listItems(raw: Raw): readonly unknown[] | undefined {
  const kind = textAt(raw, "kind") ?? "";
  const items = raw["items"];
  if (!kind.endsWith("List") || !Array.isArray(items)) return undefined;
  const typed = { apiVersion: raw["apiVersion"], kind: kind.slice(0, -"List".length) };
  return items.map((one: unknown) => (isRaw(one) && typed.kind !== "" ? { ...typed, ...one } : one));
}

/** The object at a place; refuses metadata whose names are no texts. */
export function kubeObject(place: Place, raw: Raw): Result<KubeObject> {
  const problems = metadataProblems(place, raw["metadata"]);
  if (problems.length > 0) return refuseAll(problems);
  const metadata = rawAt(raw, "metadata");
  return ok({
    ...place,
    apiVersion: textAt(raw, "apiVersion") ?? "",
    kind: textAt(raw, "kind") ?? "",
    namespace: textAt(metadata, "namespace") ?? "",
    name: textAt(metadata, "name") ?? "",
    raw,
  });
}

/** Reads an object that came as JSON and has no lines, from an API server; `from` names the server or request in messages. */
export function readApiObject(raw: Raw, from: string): Result<KubeObject> {
  const source = { file: from, line: 1, column: 1 };
  return kubeObject({ document: { value: raw, file: from, locate: () => source }, base: [] }, raw);
}

function metadataProblems(place: Place, metadata: unknown): readonly Problem[] {
  if (metadata === undefined || metadata === null) return [];
  if (!isRaw(metadata)) return [notText(place, ["metadata"], "an object")];
  return ["name", "namespace", "generateName"]
    .filter((key) => metadata[key] !== undefined && metadata[key] !== null && typeof metadata[key] !== "string")
    .map((key) => notText(place, ["metadata", key], "a text"));
}

const notText = (place: Place, path: FieldPath, what: string): Problem =>
  problemAt(place, path, {
    code: "FIELD_INVALID",
    message: `The value must be ${what}.`,
    mend: "Quote it where YAML reads it as something else.",
  });
