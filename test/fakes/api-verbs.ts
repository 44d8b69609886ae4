import type { ApiRequest, Query, Verb } from "./api-request.ts";
import { type Json, type ObjectStore, Refusal } from "./object-store.ts";
import { jsonPatch, mergePatch, type Operation } from "./patches.ts";

/** What reviews answer. */
export type Reviewers = {
  /** Who a token belongs to, for TokenReview. */
  readonly users?: Readonly<Record<string, { readonly user: Json; readonly audiences: readonly string[] }>>;
  /** What SelfSubjectAccessReview answers. */
  readonly allows?: (spec: Json) => boolean;
};

type Means = { readonly store: ObjectStore; readonly reviewers: Reviewers };

const keyOf = ({ target: { resource, namespace = "", name = "" } }: ApiRequest) => ({ resource, namespace, name });

/** What each verb but `watch` does to the store; throws a Refusal. */
export const VERBS: Readonly<Record<Exclude<Verb, "watch">, (means: Means, request: ApiRequest) => Json>> = {
  get: ({ store }, request) => store.get(keyOf(request)),
  list: ({ store }, { target, query }) =>
    list(store.list(target.resource, target.namespace), store.version, target.resource.kind, query),
  create: ({ store, reviewers }, { target, body }) =>
    review(reviewers, target.resource.kind, body) ?? store.create(target.resource, target.namespace ?? "", body),
  update: ({ store }, request) => store.update(keyOf(request), request.body, request.target.subresource),
  patch: ({ store }, request) =>
    applied(store, request) ??
    store.update(keyOf(request), patched(store.get(keyOf(request)), request), request.target.subresource),
  delete: ({ store }, request) => store.remove(keyOf(request), (request.body["preconditions"] ?? {}) as Json),
};

/** Server-side apply as a manager of its own: it creates, and gives way where somebody else was first. */
function applied(store: ObjectStore, { target, body, contentType, query }: ApiRequest): Json | undefined {
  const { resource, namespace = "", name = "" } = target;
  if (!contentType.startsWith("application/apply-patch")) return undefined;
  const found = store.list(resource, namespace).some(({ metadata }) => (metadata as Json)["name"] === name);
  if (!found) return store.create(resource, namespace, body);
  if (query["force"] === "true") return undefined;
  throw new Refusal(409, "Conflict", "conflicts with another manager");
}

function patched(before: Json, { body, contentType }: ApiRequest): Json {
  if (!contentType.startsWith("application/json-patch")) return mergePatch(before, body) as Json;
  return jsonPatch(before, body as unknown as readonly Operation[]);
}

function review(reviewers: Reviewers, kind: string, body: Json): Json | undefined {
  const spec = (body["spec"] ?? {}) as Json;
  if (kind === "SelfSubjectAccessReview") return { ...body, status: { allowed: reviewers.allows?.(spec) ?? false } };
  if (kind !== "TokenReview") return undefined;
  const known = reviewers.users?.[spec["token"] as string];
  if (!known) return { ...body, status: { authenticated: false } };
  const asked = spec["audiences"] as readonly string[];
  const audiences = asked.filter((audience) => known.audiences.includes(audience));
  return { ...body, status: { authenticated: audiences.length > 0, user: known.user, audiences } };
}

function list(all: readonly Json[], version: number, kind: string, query: Query): Json {
  const limit = Number(query["limit"] ?? 0) || Number.POSITIVE_INFINITY;
  const [taken = "0", at = String(version)] = (query["continue"] ?? "0").split("@");
  const first = Number(taken);
  const items = all.slice(first, first + limit).map((item) => ({ ...item, apiVersion: undefined, kind: undefined }));
  const rest = all.length - first - items.length;
  const next = rest > 0 ? { continue: `${first + items.length}@${at}`, remainingItemCount: rest } : {};
  return { kind: `${kind}List`, metadata: { resourceVersion: at, ...next }, items };
}
