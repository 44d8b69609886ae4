import { hash } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { formatInstant } from "../../domain/instant.ts";
import { type Problem, problem, type Result } from "../../domain/problem.ts";
import { BUNDLE_PATHS, CRL_PATH } from "../../wire/openid.ts";
import { PROBLEM_TYPE, renderProblems } from "../problem-json.ts";
import { admissionOf } from "./admit.ts";
import { type Caller, type Issuing, SHARES, type SvidAnswer, type TokenAnswer } from "./services.ts";
import { addWatch, type Watched } from "./watch.ts";
import { readSvidWish, readTokenWish } from "./wishes.ts";

/** Largest body: a request with an RSA-4096 key has about 1,700 bytes in PEM. */
const BODY_BYTES = 16 * 1024;
/** Verifiers may keep public documents so long; a key is published an hour before it signs. */
const CACHE = "public, max-age=300";
/** Whoever wants to know of a revocation sooner watches. */
const LIST_CACHE = "public, max-age=60";

/**
 * The doors for those who fetch: `POST /v1/svids`, `POST /v1/tokens`, and the documents for verifiers. The caller is known
 * before its body is read.
 */
export const issuingRoutes =
  (issuing: Issuing) =>
  (app: FastifyInstance, draining: () => boolean): void => {
    addDocuments(app, issuing);
    addWatch(app, watchedOf(issuing), { ...SHARES, ...issuing.shares }, draining);
    void app.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser("application/json", { parseAs: "string", bodyLimit: BODY_BYTES }, (_r, body, parsed) =>
        parsed(null, body),
      );
      addPosts(scope, issuing);
      done();
    });
  };

type Post = (caller: Caller, body: string) => Promise<Result<object>>;

const POSTS: Readonly<Record<string, Post>> = {
  "/v1/svids": async (caller, body) => {
    const wish = readSvidWish(body);
    return wish.ok ? shown(await caller.issueSvid(wish.value), svidBody) : wish;
  },
  "/v1/tokens": async (caller, body) => {
    const wish = readTokenWish(body);
    return wish.ok ? shown(await caller.issueToken(wish.value), tokenBody) : wish;
  },
};

const shown = <T>(result: Result<T>, body: (value: T) => object): Result<object> =>
  result.ok ? { ok: true, value: body(result.value) } : result;

const svidBody = ({ notBefore, notAfter, ...rest }: SvidAnswer): object => ({
  ...rest,
  notBefore: formatInstant(notBefore),
  notAfter: formatInstant(notAfter),
});

const tokenBody = ({ expiresAt, ...rest }: TokenAnswer): object => ({ ...rest, expiresAt: formatInstant(expiresAt) });

function addPosts(scope: FastifyInstance, issuing: Issuing): void {
  const admit = admissionOf(issuing);
  const callers = new WeakMap<FastifyRequest, Caller>();
  scope.addHook("onRequest", async (request, reply) => {
    const admission = await admit(request.raw, "rest");
    if ("caller" in admission) callers.set(request, admission.caller);
    // The rest of the body is not worth reading.
    else return refuse(reply.header("Connection", "close"), admission.turned.problems, admission.turned.waitMs);
  });
  for (const [path, post] of Object.entries(POSTS))
    scope.post(path, async (request, reply) => {
      const caller = callers.get(request);
      const answer = caller && (await post(caller, typeof request.body === "string" ? request.body : ""));
      if (!answer?.ok) return refuse(reply, answer?.problems ?? []);
      return reply
        .type("application/json")
        .header("Cache-Control", "no-store")
        .send(`${JSON.stringify(answer.value)}\n`);
    });
}

/** What subscribers hear of: a document's path, and a name for its contents. */
const watchedOf = ({ documents }: Issuing): Watched => ({
  bundle: { path: BUNDLE_PATHS.bundle, tag: () => tagOf(documents.bundle()) },
  crl: { path: CRL_PATH, tag: () => documents.lists()?.tag },
});

const tagOf = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : hash("sha256", text).slice(0, 32);

function addDocuments(app: FastifyInstance, { documents }: Issuing): void {
  app.get(CRL_PATH, (request, reply) => {
    const lists = documents.lists();
    if (!lists) return refuse(reply, [NO_DOCUMENT], 1000);
    const etag = `"${lists.tag}"`;
    reply.header("ETag", etag).header("Cache-Control", LIST_CACHE);
    if (request.headers["if-none-match"] === etag) return reply.code(304).send();
    return reply.type("application/x-pem-file").send(lists.pem);
  });
  for (const [name, path] of Object.entries(BUNDLE_PATHS)) {
    const read = documents[name as keyof typeof BUNDLE_PATHS];
    app.get(path, (_request, reply) => {
      const text = read();
      if (text !== undefined) return reply.type("application/json").header("Cache-Control", CACHE).send(text);
      return refuse(reply, [NO_DOCUMENT], 1000);
    });
  }
}

const NO_DOCUMENT = problem("NOT_READY", "", "There is no such document yet.", "Ask again in a while.");

function refuse(reply: FastifyReply, problems: readonly Problem[], waitMs?: number): FastifyReply {
  const { status, body } = renderProblems(problems);
  if (waitMs !== undefined) reply.header("Retry-After", String(Math.ceil(waitMs / 1000)));
  if (status === 401) reply.header("WWW-Authenticate", "Bearer");
  return reply.code(status).type(PROBLEM_TYPE).send(body);
}
