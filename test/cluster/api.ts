import type { OutgoingHttpHeaders } from "node:http";
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import type { Proof } from "./kubeconfig.ts";

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
export function makeApiClient(url: string, ca: string, proof: Proof): ApiClient {
  const agent = new Agent({ keepAlive: true, ca, ...("pair" in proof ? proof.pair : {}) });
  const bearer = "token" in proof ? { authorization: `Bearer ${proof.token}` } : {};
  return {
    request: (method, path, options = {}) => {
      const payload = payloadOf(options.body);
      const headers = { ...bearer, ...headersOf(payload, options.contentType) };
      const signal = AbortSignal.timeout(options.timeoutMs ?? 60_000);
      return send(new URL(path, url), { agent, method, headers, signal }, payload);
    },
    close: () => agent.destroy(),
  };
}

function payloadOf(body: unknown): string | undefined {
  return body === undefined || typeof body === "string" ? body : JSON.stringify(body);
}

function headersOf(payload: string | undefined, contentType = "application/json"): OutgoingHttpHeaders {
  if (payload === undefined) return {};
  return { "content-type": contentType, "content-length": Buffer.byteLength(payload) };
}

function send(url: URL, options: RequestOptions, payload: string | undefined): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(url, options, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.once("error", reject);
      incoming.once("end", () => resolve({ status: incoming.statusCode ?? 0, body: readBody(Buffer.concat(chunks)) }));
    });
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
