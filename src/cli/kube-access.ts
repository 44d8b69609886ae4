import type { PatchOperation } from "../domain/json-patch.ts";
import type { Result } from "../domain/problem.ts";
import type { Raw } from "../wire/read-object.ts";

/** A resource of the API server. */
export type KubeResource = {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
};

/** One object of a resource; `namespace` is left out where the resource has none. */
export type KubeName = { readonly namespace?: string; readonly name: string };

/** What commands ask of an API server. What it refuses is a Problem in its own words; what fails is thrown. */
export type KubeAccess = {
  readonly get: (resource: KubeResource, object: KubeName) => Promise<Result<Raw>>;
  /** All objects, or those of one namespace, with apiVersion and kind. */
  readonly list: (
    resource: KubeResource,
    selection?: { readonly namespace?: string },
  ) => Promise<Result<{ readonly items: readonly Raw[] }>>;
  /** Patches the status subresource; refused as a whole where one of the tests in the patch fails. */
  readonly patchStatus: (
    resource: KubeResource,
    object: KubeName,
    patch: readonly PatchOperation[],
  ) => Promise<Result<Raw>>;
  readonly create: (resource: KubeResource, object: Raw) => Promise<Result<Raw>>;
  /** Merges into the object, and refuses where it is no longer the `metadata.resourceVersion` that the patch names. */
  readonly merge: (resource: KubeResource, object: KubeName, patch: Raw) => Promise<Result<Raw>>;
  readonly remove: (resource: KubeResource, object: KubeName) => Promise<Result<Raw>>;
  /** The user name that the API server knows the caller by (SelfSubjectReview). */
  readonly whoAmI: () => Promise<Result<string>>;
};

/** Which cluster is meant, where the environment does not say it. */
export type KubeChoice = { readonly kubeconfig?: string; readonly context?: string };

/** Opens the way to a cluster; bin/ provides it, so that commands that need none never load it. */
export type OpenKube = (choice: KubeChoice) => Promise<Result<KubeAccess>>;
