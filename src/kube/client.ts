import { ok, problem, type Problem, refuseAll, type Result } from "../domain/problem.ts";
import type { ProblemCode } from "../domain/problem-codes.ts";
import { isRaw, type Raw, rawAt, textAt } from "../wire/read-object.ts";
import type { Answer, Call, Connection } from "./connection.ts";
import { apiVersionOf, collectionPath, type ObjectName, objectPath, type Resource, withQuery } from "./resources.ts";

/** The API server did not do what was asked, for a reason that no caller expects. */
export class ApiFault extends Error {
  readonly status: number;
  readonly answer: Answer;
  constructor(call: Call, answer: Answer) {
    super(`${call.method} ${call.path.split("?")[0] ?? ""}: ${answer.status} ${messageOf(answer.body)}`);
    this.name = "ApiFault";
    this.status = answer.status;
    this.answer = answer;
  }
}

/** Part of a collection: selectors as the API writes them. */
export type Selection = {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
};

/** A collection as of one resource version. */
export type ObjectList = { readonly resourceVersion: string; readonly items: readonly Raw[] };

/** How a write is made. `dryRun` asks for every check and changes nothing. */
export type WriteOptions = {
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly subresource?: string;
};

/** A patch, in one of three languages; `apply` is server-side apply and takes fields from other managers if forced. */
export type Patch =
  | { readonly type: "json"; readonly body: readonly unknown[] }
  | { readonly type: "merge"; readonly body: Raw }
  | { readonly type: "apply"; readonly body: Raw; readonly fieldManager: string; readonly force?: boolean };

/** A deletion; with `uid` or `resourceVersion` only of exactly that object. */
export type DeleteOptions = {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagation?: "Background" | "Foreground" | "Orphan";
  readonly dryRun?: boolean;
};

/**
 * Objects of the API server. What a caller must expect (403, 404, 409, 400 and 422) is a Problem; everything else that is
 * not success is thrown.
 */
export type KubeClient = {
  readonly get: (resource: Resource, object: ObjectName) => Promise<Result<Raw>>;
  readonly list: (resource: Resource, selection?: Selection) => Promise<Result<ObjectList>>;
  readonly create: (resource: Resource, object: Raw, options?: WriteOptions) => Promise<Result<Raw>>;
  /** Replaces the object; its `metadata.resourceVersion` is the precondition. */
  readonly update: (resource: Resource, object: Raw, options?: WriteOptions) => Promise<Result<Raw>>;
  readonly patch: (
    resource: Resource,
    object: ObjectName,
    patch: Patch,
    options?: WriteOptions,
  ) => Promise<Result<Raw>>;
  readonly delete: (resource: Resource, object: ObjectName, options?: DeleteOptions) => Promise<Result<Raw>>;
  /** Any other request, its answer as it came. */
  readonly call: (call: Call) => Promise<Answer>;
};

/** How an expected refusal is told; 400 is what admission webhooks of others answer. */
const REFUSALS: Readonly<Partial<Record<number, ProblemCode>>> = {
  400: "API_REFUSED",
  403: "API_FORBIDDEN",
  404: "NOT_FOUND",
  409: "API_CONFLICT",
  422: "API_REFUSED",
};

const PAGE = 500;

/** The client over one connection. */
export function makeKubeClient(connection: Connection): KubeClient {
  const ask = async (call: Call): Promise<Result<Raw>> => read(call, await connection.call(call));
  return {
    get: (resource, object) => ask({ method: "GET", path: objectPath(resource, object) }),
    list: (resource, selection = {}) => listAll(ask, resource, selection),
    create: (resource, object, options = {}) =>
      ask({ method: "POST", path: writePath(createPath(resource, object, options), options), body: object }),
    update: (resource, object, options = {}) =>
      ask({
        method: "PUT",
        path: writePath(objectPath(resource, nameOf(object), options.subresource), options),
        body: object,
      }),
    patch: (resource, object, patch, options = {}) => ask(patchCall(resource, object, patch, options)),
    delete: (resource, object, options = {}) =>
      ask({ method: "DELETE", path: objectPath(resource, object), body: deleteBody(options) }),
    call: connection.call,
  };
}

/** Turns an answer into the object, the refusal, or a fault. */
export function read(call: Call, answer: Answer): Result<Raw> {
  if (answer.status >= 200 && answer.status < 300 && isRaw(answer.body)) return ok(answer.body);
  const code = REFUSALS[answer.status];
  if (code === undefined) throw new ApiFault(call, answer);
  return refuseAll([problemOf(code, answer.body)]);
}

function problemOf(code: ProblemCode, body: unknown): Problem {
  const details = isRaw(body) ? rawAt(body, "details") : {};
  const causes = Array.isArray(details["causes"]) ? details["causes"].filter(isRaw) : [];
  return problem(code, (causes[0] && textAt(causes[0], "field")) ?? "", messageOf(body));
}

const messageOf = (body: unknown): string =>
  (isRaw(body) ? textAt(body, "message") : undefined) ?? "The API server gave no reason.";

async function listAll(
  ask: (call: Call) => Promise<Result<Raw>>,
  resource: Resource,
  selection: Selection,
): Promise<Result<ObjectList>> {
  const path = collectionPath(resource, selection.namespace);
  const { labelSelector, fieldSelector } = selection;
  const items: Raw[] = [];
  let next: string | undefined;
  let resourceVersion = "";
  do {
    const query = { limit: PAGE, continue: next, labelSelector, fieldSelector };
    const page = await ask({ method: "GET", path: withQuery(path, query) });
    if (!page.ok) return page;
    items.push(...itemsOf(resource, page.value));
    const metadata = rawAt(page.value, "metadata");
    resourceVersion = textAt(metadata, "resourceVersion") ?? "";
    next = textAt(metadata, "continue") || undefined;
  } while (next !== undefined);
  return ok({ resourceVersion, items });
}

/** Items of a list carry neither apiVersion nor kind; here they do. */
export function itemsOf(resource: Resource, list: Raw): readonly Raw[] {
  const items = Array.isArray(list["items"]) ? list["items"].filter(isRaw) : [];
  return items.map((item) => ({ apiVersion: apiVersionOf(resource), kind: resource.kind, ...item }));
}

/** The name that an object carries. */
export function nameOf(object: Raw): ObjectName {
  const metadata = rawAt(object, "metadata");
  const namespace = textAt(metadata, "namespace");
  return { name: textAt(metadata, "name") ?? "", ...(namespace === undefined ? {} : { namespace }) };
}

function createPath(resource: Resource, object: Raw, options: WriteOptions): string {
  const named = nameOf(object);
  if (options.subresource !== undefined) return objectPath(resource, named, options.subresource);
  if (resource.namespaced && named.namespace === undefined) throw new TypeError(`${resource.plural} need a namespace`);
  return collectionPath(resource, named.namespace);
}

const writePath = (path: string, options: WriteOptions & { readonly force?: boolean }): string =>
  withQuery(path, {
    dryRun: options.dryRun === true ? "All" : undefined,
    fieldManager: options.fieldManager,
    force: options.force === true ? "true" : undefined,
  });

const PATCH_TYPES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

function patchCall(resource: Resource, object: ObjectName, patch: Patch, options: WriteOptions): Call {
  const apply = patch.type === "apply" ? { fieldManager: patch.fieldManager, force: patch.force === true } : {};
  const path = writePath(objectPath(resource, object, options.subresource), { ...options, ...apply });
  return { method: "PATCH", path, body: patch.body, contentType: PATCH_TYPES[patch.type] };
}

function deleteBody(options: DeleteOptions): Raw {
  const { uid, resourceVersion, propagation, dryRun } = options;
  return {
    kind: "DeleteOptions",
    apiVersion: "v1",
    ...(uid === undefined && resourceVersion === undefined ? {} : { preconditions: { uid, resourceVersion } }),
    ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
    ...(dryRun === true ? { dryRun: ["All"] } : {}),
  };
}
