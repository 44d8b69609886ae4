import type { Workload } from "../../domain/workload.ts";

/** Labels by which a workload says what it is, the most telling first. */
const TELLING = ["app.kubernetes.io/name", "app", "name", "k8s-app", "component"] as const;

/**
 * What application a workload is part of: the name that it gives itself by a usual label, or else its own name without a
 * version at its end. Three Deployments of one application are one.
 */
export function applicationOf({ labels, object }: Workload): string {
  const told = TELLING.map((key) => (Object.hasOwn(labels, key) ? labels[key] : undefined)).find(isName);
  return told ?? nameOf(object.name.replace(/-?\*$/, "").replace(/[-.]v?\d+(\.\d+)*$/, ""));
}

const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const isName = (text: string | undefined): text is string => text !== undefined && NAME.test(text);

/** A name that roles and accounts may have; what no name allows becomes a dash. */
export function nameOf(text: string): string {
  const clean = text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
  return clean === "" ? "unnamed" : clean;
}
