import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { type RequestOptions, request as httpsRequest } from "node:https";
import { type Clock, sleep } from "./clock.ts";
import type { ClusterAccess } from "./config.ts";
import { DEFAULT_RATE_LIMIT, makeRateLimit, type RateLimit } from "./rate-limit.ts";
import { makeSession, type Session } from "./session.ts";

/** One request; `path` carries its query. A body is sent as JSON unless `contentType` says otherwise. */
export type Call = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly timeoutMs?: number;
  /** True: a 429 is handed back at once. */
  readonly hurried?: boolean;
};

/** What the server answered, whatever its status; `body` is the JSON read, or the text where it is none. */
export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: unknown };

/** A response that goes on: its chunks as they come. Iterating throws when the connection fails or the signal aborts. */
export type OpenStream = { readonly chunks: AsyncIterable<Buffer> };

/** Kept-alive connections to one API server, with credentials that are read anew as they change. */
export type Connection = {
  /** Throws when no answer comes; a 401 is tried again with fresh credentials, a 429 after the time it names. */
  readonly call: (call: Call) => Promise<Answer>;
  /** Opens a stream; anything but a 200 is an Answer. Nothing is tried again. */
  readonly open: (path: string, signal: AbortSignal) => Promise<OpenStream | Answer>;
  readonly close: () => void;
};

export type ConnectionOptions = {
  readonly clock: Clock;
  readonly rateLimit?: RateLimit;
  readonly userAgent?: string;
  /** How long an answer may take; default 30 s. */
  readonly timeoutMs?: number;
  /** Hears the Date header of each answer. */
  readonly heard?: (date: string | undefined) => void;
};

const DEFAULT_TIMEOUT_MS = 30_000;
/** A list of 500 objects of 100 KB; more is no answer of an API server. */
const MOST_BODY_BYTES = 64 * 1024 * 1024;
/** A peer that vanished without a word is noticed by the kernel's probes after this time and ten more seconds. */
const PROBE_AFTER_MS = 15_000;
/** How often a 429 is waited out before it is handed to the caller, and how long at most each time. */
const PATIENCE = { attempts: 3, mostMs: 30_000 } as const;

/** Opens nothing until the first request. */
export function makeConnection(access: ClusterAccess, options: ConnectionOptions): Connection {
  const { clock } = options;
  const session = makeSession(access, clock);
  const ended = new AbortController();
  const send = makeSender(access, session, options);
  const once = async (call: Call): Promise<Answer> => {
    const limit = call.timeoutMs ?? options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const { signal, done } = deadline(clock, limit, ended.signal);
    try {
      return await readAnswer(await send(call, signal), MOST_BODY_BYTES);
    } catch (fault) {
      throw signal.aborted ? signal.reason : fault;
    } finally {
      done();
    }
  };
  return {
    call: (call) => persist(call, once, { clock, session, ended: ended.signal }),
    open: async (path, signal) => {
      const response = await send({ method: "GET", path }, signal);
      if (response.statusCode === 200) return { chunks: response };
      const answer = await readAnswer(response, MOST_BODY_BYTES);
      if (answer.status === 401) session.refuse();
      return answer;
    },
    close: () => {
      ended.abort(new Error("the connection to the API server was closed"));
      session.close();
    },
  };
}

type Sender = (call: Call, signal: AbortSignal) => Promise<IncomingMessage>;

function makeSender(access: ClusterAccess, session: Session, options: ConnectionOptions): Sender {
  const turn = makeRateLimit(options.clock, options.rateLimit ?? DEFAULT_RATE_LIMIT);
  const agentName = options.userAgent ?? "signet";
  return async (call, signal) => {
    await turn(signal);
    const { agent, credentials } = await session.current();
    const payload = call.body === undefined ? undefined : JSON.stringify(call.body);
    const headers = headersOf(call, payload, credentials.token, agentName);
    try {
      const asked = { agent, method: call.method, signal, headers };
      const response = await exchange(new URL(call.path, access.server), asked, payload);
      options.heard?.(response.headers.date);
      return response;
    } catch (fault) {
      session.doubt();
      throw fault;
    }
  };
}

type Means = { readonly clock: Clock; readonly session: Session; readonly ended: AbortSignal };

/** What may still be tried again for one call. */
type Patience = { unauthorized: number; busy: number; reset: number };

/** A reused connection may die under a GET, a token may have ended, the server may be busy: each is tried again. */
async function persist(call: Call, once: (call: Call) => Promise<Answer>, means: Means): Promise<Answer> {
  const busy = call.hurried === true ? 0 : PATIENCE.attempts;
  const left: Patience = { unauthorized: 1, busy, reset: call.method === "GET" ? 1 : 0 };
  for (;;) {
    const answer = await once(call).catch((fault: unknown) => {
      if (!isReset(fault) || left.reset-- <= 0) throw fault;
    });
    if (answer && !(await again(answer, left, means))) return answer;
  }
}

async function again(answer: Answer, left: Patience, { clock, session, ended }: Means): Promise<boolean> {
  if (answer.status === 401 && left.unauthorized-- > 0) {
    session.refuse();
    return true;
  }
  if (answer.status !== 429 || left.busy-- <= 0) return false;
  await sleep(clock, Math.min(retryAfterMs(answer.headers) ?? 1000, PATIENCE.mostMs), ended);
  return !ended.aborted;
}

const isReset = (fault: unknown): boolean =>
  fault instanceof Error && "code" in fault && (fault.code === "ECONNRESET" || fault.code === "EPIPE");

/** The header Retry-After in milliseconds; the API server writes whole seconds. */
export function retryAfterMs(headers: IncomingHttpHeaders): number | undefined {
  const text = headers["retry-after"];
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined;
}

function headersOf(call: Call, payload: string | undefined, token: string | undefined, agent: string) {
  return {
    accept: "application/json",
    "user-agent": agent,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(payload === undefined
      ? {}
      : { "content-type": call.contentType ?? "application/json", "content-length": Buffer.byteLength(payload) }),
  };
}

function exchange(url: URL, options: RequestOptions, payload: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(url, options, resolve);
    outgoing.on("socket", (socket) => socket.setKeepAlive(true, PROBE_AFTER_MS));
    outgoing.on("error", reject);
    outgoing.end(payload);
  });
}

async function readAnswer(response: IncomingMessage, most: number): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > most) throw new Error(`the API server's answer has more than ${most} bytes`);
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: readBody(Buffer.concat(chunks)) };
}

function readBody(bytes: Buffer): unknown {
  const text = bytes.toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function deadline(clock: Clock, ms: number, outer: AbortSignal): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController();
  const cancel = clock.after(ms, () => controller.abort(new Error(`the API server did not answer in ${ms} ms`)));
  const stop = (): void => controller.abort(outer.reason);
  if (outer.aborted) stop();
  outer.addEventListener("abort", stop, { once: true });
  return {
    signal: controller.signal,
    done: () => {
      cancel();
      outer.removeEventListener("abort", stop);
    },
  };
}
