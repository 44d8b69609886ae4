import { createHash } from "node:crypto";
import type { LabelSelector } from "../../domain/label-selector.ts";
import { type Ruling, rulingText } from "../intent/line.ts";

/** A Kubernetes object as compiled: plain values, in the order in which they are written. */
export type Rendered = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: unknown;
};

/** The label that says who an object is managed by. */
export const MANAGED_BY_LABEL = "app.kubernetes.io/managed-by";
/** The label that says for which target an object was compiled; with it, what is no longer meant is found again. */
export const TARGET_LABEL = "policy.signet.dev/target";
/** The annotation that names the lines that an object comes from. */
export const LINES_ANNOTATION = "policy.signet.dev/lines";

/** The labels by which compiled objects of a target are known as ours. */
export const ownerLabels = (target: string): Readonly<Record<string, string>> => ({
  [MANAGED_BY_LABEL]: "signet",
  [TARGET_LABEL]: target,
});

/** Name, namespace and owner of an object, with the lines that it comes from. */
export function metadataOf(
  target: string,
  name: string,
  namespace: string | undefined,
  openings: readonly { readonly line: Pick<Ruling, "object" | "path"> }[],
): Rendered["metadata"] {
  const lines = [...new Set(openings.map(({ line: { object, path } }) => rulingText({ object, path })))].sort();
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: ownerLabels(target),
    ...(lines.length === 0 ? {} : { annotations: { [LINES_ANNOTATION]: lines.join("\n") } }),
  };
}

/** A selector as Kubernetes writes it: equalities as `matchLabels`, all else as `matchExpressions`. */
export function selectorOf(selector: LabelSelector): Readonly<Record<string, unknown>> {
  const equal = selector.filter(({ operator, values }) => operator === "In" && values.length === 1);
  const other = selector.filter((one) => !equal.includes(one));
  return {
    ...(equal.length > 0
      ? { matchLabels: Object.fromEntries(equal.map(({ key, values }): [string, string] => [key, values[0] ?? ""])) }
      : {}),
    ...(other.length > 0
      ? {
          matchExpressions: other.map(({ key, operator, values }) => ({
            key,
            operator,
            ...(values.length > 0 ? { values } : {}),
          })),
        }
      : {}),
  };
}

/** Eight hexadecimal digits that stand for a text in names. */
export const shortHash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);
