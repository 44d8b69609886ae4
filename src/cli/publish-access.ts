import type { Result } from "../domain/problem.ts";
import type { Rendered } from "../policy/compile/rendered.ts";
import type { Raw } from "../wire/read-object.ts";
import type { KubeChoice, KubeName, KubeResource } from "./kube-access.ts";

/** What publishing asks of an API server. What it refuses is a Problem in its own words; what fails is thrown. */
export type PublishAccess = {
  /** All objects of a resource, with apiVersion and kind; NOT_FOUND where the server does not serve it. */
  readonly list: (resource: KubeResource) => Promise<Result<{ readonly items: readonly Raw[] }>>;
  /** Writes a compiled object whole: nothing stays in it that somebody else put there. */
  readonly apply: (resource: KubeResource, object: Rendered) => Promise<Result<Raw>>;
  readonly remove: (resource: KubeResource, object: KubeName) => Promise<Result<Raw>>;
};

/** Opens the way to a cluster for publishing; bin/ provides it. */
export type OpenPublishing = (choice: KubeChoice) => Promise<Result<PublishAccess>>;
