import type { IncomingMessage } from "node:http";
import type { Resource } from "../../src/kube/resources.ts";
import { type Json, Refusal } from "./object-store.ts";

/** What a request is about, in the words of RBAC. */
export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";

/** What a path names. */
type Target = {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
};

export type Query = Readonly<Record<string, string>>;

/** A request as the server understands it. */
export type ApiRequest = {
  readonly verb: Verb;
  readonly target: Target;
  readonly query: Query;
  readonly body: Json;
  readonly contentType: string;
};

/** A request that was answered. */
export type SeenRequest = {
  readonly verb: Verb;
  readonly path: string;
  readonly query: Query;
  readonly status: number;
};

const REVIEWS: readonly Resource[] = [
  { group: "authentication.k8s.io", version: "v1", plural: "tokenreviews", kind: "TokenReview", namespaced: false },
  {
    group: "authorization.k8s.io",
    version: "v1",
    plural: "selfsubjectaccessreviews",
    kind: "SelfSubjectAccessReview",
    namespaced: false,
  },
];

/** Takes a request off the wire; `read` says what it means, given the resources that are served. */
export async function readRequest(incoming: IncomingMessage) {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const url = new URL(incoming.url ?? "/", "https://fake");
  const query: Query = Object.fromEntries(url.searchParams);
  const body = chunks.length === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString("utf8")) as Json);
  const read = (resources: readonly Resource[]): ApiRequest => {
    const target = targetOf([...resources, ...REVIEWS], url.pathname);
    const verb = verbOf(incoming.method ?? "GET", target, query);
    return { verb, target, query, body, contentType: incoming.headers["content-type"] ?? "" };
  };
  return { path: url.pathname, query, read };
}

const PATH =
  /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/([^/]+)(?=\/[^/]+))?\/([^/]+)(?:\/([^/]+)(?:\/([^/]+))?)?$/;

function targetOf(resources: readonly Resource[], path: string): Target {
  const parts = PATH.exec(path) ?? [];
  const [, group = "", version = "", namespace, plural = "", name, subresource] = parts.map((part) =>
    part === undefined ? undefined : decodeURIComponent(part),
  );
  const resource = resources.find((each) => each.group === group && each.version === version && each.plural === plural);
  if (!resource) throw new Refusal(404, "NotFound", "the server could not find the requested resource");
  return {
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

function verbOf(method: string, target: Target, query: Query): Verb {
  if (method === "GET") return target.name !== undefined ? "get" : query["watch"] === "true" ? "watch" : "list";
  return ({ POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" } as const)[method] ?? "get";
}
