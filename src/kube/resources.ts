/** Which resource of the API server a request concerns. */
export type Resource = {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
};

/** One object of a resource; `namespace` is left out where the resource has none. */
export type ObjectName = { readonly namespace?: string; readonly name: string };

/** `v1`, or `group/version`. */
export const apiVersionOf = (resource: Resource): string =>
  resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;

/** Path of the whole collection, or of one namespace's part of it. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  if (namespace === undefined) return `${root}/${resource.plural}`;
  if (!resource.namespaced) throw new TypeError(`${resource.plural} have no namespace`);
  return `${root}/namespaces/${segment(namespace)}/${resource.plural}`;
}

/** Path of one object or of a subresource of it. */
export function objectPath(resource: Resource, object: ObjectName, subresource?: string): string {
  if (resource.namespaced && object.namespace === undefined) throw new TypeError(`${resource.plural} need a namespace`);
  const path = `${collectionPath(resource, object.namespace)}/${segment(object.name)}`;
  return subresource === undefined ? path : `${path}/${segment(subresource)}`;
}

/** One step of a path. A name with a slash, or none at all, would name something else. */
function segment(name: string): string {
  if (name === "" || name === "." || name === ".." || name.includes("/"))
    throw new TypeError(`"${name}" is not a name that a path can carry`);
  return encodeURIComponent(name);
}

/** A path with its query; values that are undefined are left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) parameters.set(key, String(value));
  const text = parameters.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Secrets of the core group. */
export const SECRETS: Resource = { group: "", version: "v1", plural: "secrets", kind: "Secret", namespaced: true };

/** ConfigMaps of the core group. */
export const CONFIG_MAPS: Resource = {
  group: "",
  version: "v1",
  plural: "configmaps",
  kind: "ConfigMap",
  namespaced: true,
};

/** Pods of the core group. */
export const PODS: Resource = { group: "", version: "v1", plural: "pods", kind: "Pod", namespaced: true };

const configuration = (kind: string): Resource => ({
  group: "admissionregistration.k8s.io",
  version: "v1",
  plural: `${kind.toLowerCase()}s`,
  kind,
  namespaced: false,
});

/** The two kinds of webhook configuration. */
export const WEBHOOK_CONFIGURATIONS: readonly Resource[] = [
  configuration("MutatingWebhookConfiguration"),
  configuration("ValidatingWebhookConfiguration"),
];
