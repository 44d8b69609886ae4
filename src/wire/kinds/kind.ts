import type { TObject, TSchema } from "typebox";

/** A column of `kubectl get`. */
export type Column = {
  readonly name: string;
  readonly type: "string" | "date" | "integer";
  readonly path: string;
  readonly wide?: true;
};

/** Everything that makes one of Signet's kinds: its names, its schema (type, reader and CRD at once), its columns. */
export type Kind<Spec extends TSchema = TSchema> = {
  readonly kind: string;
  readonly plural: string;
  readonly scope: "Cluster" | "Namespaced";
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: Spec;
  readonly status: TObject;
  readonly columns: readonly Column[];
  /** CEL rules on the whole object. */
  readonly rules: readonly { readonly rule: string; readonly message: string }[];
  /** Whether a generation needs approval before it is in force. */
  readonly approved: boolean;
};

/** API group of all kinds. */
export const GROUP = "signet.dev";
/** The one served version. */
export const VERSION = "v1alpha1";

/** Names that are stamped as a label's value have at most 63 characters. */
export const shortName = {
  rule: "self.metadata.name.size() <= 63",
  message: "metadata.name is stamped as a label's value: at most 63 characters",
};

/** The columns that tell of approval. */
export const approvalColumns: readonly Column[] = [
  { name: "Approved", type: "integer", path: ".status.approved.generation" },
  { name: "Ready", type: "string", path: '.status.conditions[?(@.type=="Ready")].status' },
];
/** The column every kind ends with. */
export const age: Column = { name: "Age", type: "date", path: ".metadata.creationTimestamp" };
