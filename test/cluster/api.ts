import { Agent, request as httpsRequest } from "node:https";
import type { KeyPair } from "./pki.ts";

/** An answer of the API server, whatever its status; `body` is the JSON read, or the text where it is none. */
export type ApiAnswer = { readonly status: number; readonly body: unknown };

export type ApiBody = {
  /** An object is sent as JSON, a string as it is. */
  readonly body?: unknown;
  /** Default application/json; a PATCH must name its kind. */
  readonly contentType?: string;
  readonly timeoutMs?: number;
};

/** One user's connections to the API server; throws only when no answer comes. */
export type ApiClient = {
  readonly request: (method: string, path: string, options?: ApiBody) => Promise<ApiAnswer>;
  readonly close: () => void;
};

/** Opens nothing until the first request; connections are kept. */
export function makeApiClient(url: string, ca: string, pair: KeyPair): ApiClient {
  const agent = new Agent({ keepAlive: true, ca, cert: pair.cert, key: pair.key });
  return {
    request: (method, path, options = {}) => send(agent, new URL(path, url), method, options),
    close: () => agent.destroy(),
  };
}

function send(agent: Agent, url: URL, method: string, options: ApiBody): Promise<ApiAnswer> {
  const { body, contentType = "application/json", timeoutMs = 60_000 } = options;
  const payload = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const headers =
    payload === undefined ? {} : { "content-type": contentType, "content-length": Buffer.byteLength(payload) };
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      url,
      { agent, method, headers, signal: AbortSignal.timeout(timeoutMs) },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.once("error", reject);
        incoming.once("end", () =>
          resolve({ status: incoming.statusCode ?? 0, body: readBody(Buffer.concat(chunks)) }),
        );
      },
    );
    outgoing.once("error", reject);
    outgoing.end(payload);
  });
}

function readBody(bytes: Buffer): unknown {
  const text = bytes.toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
