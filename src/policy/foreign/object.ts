import type { Problem, Source } from "../../domain/problem.ts";
import type { FieldPath } from "../model/policy.ts";
import { at, type Field, items, newNotes, type Note, type Notes, optionalText, refuseField } from "./field.ts";

/** One plain object of the input, and where each of its fields stands. wire's Document is one. */
export type ForeignObject = { readonly value: unknown; readonly locate: (path: FieldPath) => Source };

/** A foreign object opened for reading: what it says it is, and its fields. */
export type Opened = {
  readonly kind: string;
  /** API group; empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  /** `metadata.name`, `prefix*` where only `generateName` is there, or empty. */
  readonly name: string;
  readonly root: Field;
  readonly notes: Notes;
  readonly locate: (path: FieldPath) => Source;
};

/** Opens an object; lists (`List`, `PodList` …) are unfolded, and items that don't say what they are take it from the list. */
export function openObjects(object: ForeignObject): readonly Opened[] {
  const notes = newNotes();
  const root: Field = { value: object.value, path: [], notes };
  const kind = optionalText(at(root, "kind")) ?? "";
  if (kind.endsWith("List") && Array.isArray(at(root, "items").value)) return openList(object, root, kind);
  return [open(object, kind, optionalText(at(root, "apiVersion")) ?? "")];
}

function openList(object: ForeignObject, root: Field, kind: string): readonly Opened[] {
  const version = optionalText(at(root, "apiVersion")) ?? "";
  return items(at(root, "items")).flatMap((item) => {
    const inner: ForeignObject = { value: item.value, locate: (path) => object.locate([...item.path, ...path]) };
    const says = optionalText(at(item, "kind"));
    if (says?.endsWith("List")) return openObjects(inner);
    return [open(inner, says ?? kind.slice(0, -"List".length), optionalText(at(item, "apiVersion")) ?? version)];
  });
}

function open(object: ForeignObject, kind: string, apiVersion: string): Opened {
  const notes = newNotes();
  const root: Field = { value: object.value, path: [], notes };
  const metadata = at(root, "metadata");
  const slash = apiVersion.indexOf("/");
  const namespace = optionalText(at(metadata, "namespace"));
  return {
    kind,
    group: slash < 0 ? "" : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    namespace: namespace === undefined || namespace === "" ? "default" : namespace,
    name: nameIn(metadata),
    root,
    notes,
    locate: object.locate,
  };
}

function nameIn(metadata: Field): string {
  const name = optionalText(at(metadata, "name")) ?? "";
  const prefix = name === "" ? (optionalText(at(metadata, "generateName")) ?? "") : "";
  return prefix === "" ? name : `${prefix}*`;
}

/** The object's name, which must be there. */
export function requiredName({ name, root }: Opened): string {
  if (name === "") refuseField(at(root, "metadata", "name"), "FIELD_MISSING", "The name is missing.");
  return name;
}

/** What was noted while an object was read, with the object's name and its place in the file. */
export const placed = (opened: Opened, notes: readonly Note[]): readonly Problem[] =>
  notes.map(({ problem, path }) => ({
    ...problem,
    message: `${objectText(opened)}: ${problem.message}`,
    source: opened.locate(path),
  }));

/** `NetworkPolicy shop/orders-db`. */
export const objectText = (opened: Pick<Opened, "kind" | "namespace" | "name">): string =>
  `${opened.kind} ${CLUSTER_SCOPED.has(opened.kind) ? "" : `${opened.namespace}/`}${opened.name}`;

const CLUSTER_SCOPED: ReadonlySet<string> = new Set([
  "Namespace",
  "AdminNetworkPolicy",
  "BaselineAdminNetworkPolicy",
  "ClusterNetworkPolicy",
  "ClusterUserDefinedNetwork",
]);
