import { isRaw, type Raw, rawAt, textAt } from "../wire/read-object.ts";
import type { KubeClient } from "./client.ts";
import { servedPlurals } from "./discovery.ts";
import type { Resource } from "./resources.ts";
import type { WatchTable } from "./watch.ts";

const core = (kind: string, plural: string, namespaced: boolean): Resource => ({
  group: "",
  version: "v1",
  plural,
  kind,
  namespaced,
});

const picked = (raw: Raw, keys: readonly string[]): Raw =>
  Object.fromEntries(keys.flatMap((key) => (raw[key] === undefined ? [] : [[key, raw[key]]])));

const named = ({ apiVersion, kind, metadata }: Raw): Raw => ({
  apiVersion,
  kind,
  metadata: picked(isRaw(metadata) ? metadata : {}, ["name", "namespace", "uid", "resourceVersion"]),
});

/** Pods, as far as identity and certificate volumes go. */
export const PODS: WatchTable = {
  resource: core("Pod", "pods", true),
  strip: ({ apiVersion, kind, metadata, spec, status }) => ({
    apiVersion,
    kind,
    metadata: picked(isRaw(metadata) ? metadata : {}, [
      "name",
      "namespace",
      "uid",
      "resourceVersion",
      "labels",
      "annotations",
      "ownerReferences",
    ]),
    spec: stripSpec(isRaw(spec) ? spec : {}),
    status: picked(isRaw(status) ? status : {}, ["phase"]),
  }),
};

function stripSpec(spec: Raw): Raw {
  const volumes = Array.isArray(spec["volumes"]) ? spec["volumes"].filter(isRaw) : [];
  return {
    ...picked(spec, ["serviceAccountName", "nodeName"]),
    volumes: volumes.filter((volume) => volume["projected"] !== undefined),
  };
}

/** Service accounts and nodes, by name and UID. */
export const SERVICE_ACCOUNTS: WatchTable = {
  resource: core("ServiceAccount", "serviceaccounts", true),
  strip: named,
};
export const NODES: WatchTable = { resource: core("Node", "nodes", false), strip: named };

/** PodCertificateRequests of one version, whole: they are written back. */
export const podCertificates = (version: string): WatchTable => ({
  resource: {
    group: "certificates.k8s.io",
    version,
    plural: "podcertificaterequests",
    kind: "PodCertificateRequest",
    namespaced: true,
  },
});

/**
 * The version of PodCertificateRequest to watch; undefined where the server has none. v1beta1 where it is served: a kubelet
 * of 1.35 shows its key in fields that v1 no longer has, and they would be missing there (KEP-4317, "Version Skew").
 */
export const podCertificateVersion = (client: Discovery): Promise<string | undefined> =>
  servedVersion(client, "podcertificaterequests", ["v1beta1", "v1"]);

/** The version of ClusterTrustBundle to write; undefined where the server has none. Before 1.37 there is only v1beta1 (KEP-3257). */
export const trustBundleVersion = (client: Discovery): Promise<string | undefined> =>
  servedVersion(client, "clustertrustbundles", ["v1", "v1beta1"]);

type Discovery = Pick<KubeClient, "call">;

/** The first of these versions of certificates.k8s.io in which the server has the collection. */
async function servedVersion(
  client: Discovery,
  plural: string,
  versions: readonly string[],
): Promise<string | undefined> {
  for (const version of versions)
    if ((await servedPlurals(client, `/apis/certificates.k8s.io/${version}`)).has(plural)) return version;
  return undefined;
}

/** The name of an object with a UID, if a copy of its collection holds that UID under that name. */
export function isNamed(object: Raw | undefined, name: string, namespace?: string): boolean {
  const metadata = rawAt(object ?? {}, "metadata");
  return textAt(metadata, "name") === name && textAt(metadata, "namespace") === namespace;
}
