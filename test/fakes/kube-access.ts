import type { KubeAccess, KubeResource, OpenKube } from "../../src/cli/kube-access.ts";
import { ok, refuse, type Result } from "../../src/domain/problem.ts";
import type { Raw } from "../../src/wire/read-object.ts";
import type { ApprovalStore } from "./approval-store.ts";

/** A way to the store as this user. `before` happens between a command's reading and its writing. */
export const openAs =
  (store: ApprovalStore, user: string, before: () => void = () => undefined): OpenKube =>
  () => {
    const access: KubeAccess = {
      get: (resource, { name }) => Promise.resolve(found(store, resource, name)),
      list: ({ kind }) => Promise.resolve(ok({ items: store.all(kind) })),
      patchStatus: (resource, { name }, patch) => {
        before();
        try {
          store.patchStatus(user, resource.kind, name, patch);
        } catch (fault) {
          if (fault instanceof Error) return Promise.resolve(refuse("NOT_READY", "", fault.message));
          throw fault;
        }
        return Promise.resolve(found(store, resource, name));
      },
      create: (resource, object) => {
        store.apply(user, JSON.stringify(object));
        const { name } = object["metadata"] as { name: string };
        return Promise.resolve(found(store, resource, name));
      },
      merge: (resource, { name }, patch) => {
        const { metadata, spec, ...rest } = store.get(resource.kind, name);
        const merged = { ...(spec as object), ...(patch["spec"] as object) };
        store.apply(user, JSON.stringify({ ...rest, metadata, spec: merged }));
        return Promise.resolve(found(store, resource, name));
      },
      remove: ({ kind }) => Promise.resolve(refuse("API_FORBIDDEN", "", `This store deletes no ${kind}.`)),
      whoAmI: () => Promise.resolve(ok(user)),
    };
    return Promise.resolve(ok(access));
  };

function found(store: ApprovalStore, { kind }: KubeResource, name: string): Result<Raw> {
  const object = store.all(kind).find(({ metadata }) => metadata.name === name);
  return object ? ok(object) : refuse("NOT_FOUND", "", `There is no ${kind} ${name}.`);
}
