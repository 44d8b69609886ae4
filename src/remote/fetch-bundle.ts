import { request, type RequestOptions } from "node:https";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { isBundleUrl } from "../wire/bundle-url.ts";
import { MOST_BUNDLE } from "../wire/trust-bundle.ts";

/** By what the server of a bundle endpoint is known: certificates that its own must end at (PEM, not none), and who it must be. */
export type EndpointIdentity = {
  readonly authorities: readonly string[];
  /** What is wrong with the server's certificate (DER), whose path was verified; undefined where it is the one. */
  readonly judge: (certificate: Buffer) => string | undefined;
};

/** One look at a bundle endpoint. */
export type BundleCall = {
  readonly url: string;
  /** Absent: the authorities of the web, and the URL's host name (profile https_web). */
  readonly identity?: EndpointIdentity;
  /** For the whole of it, redirects included. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

const MOST_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Gets the text of a SPIFFE bundle: GET over https without anything that says who asks, every redirect judged as the first
 * URL was (SPIFFE Federation §5.2). Refuses with BUNDLE_UNAVAILABLE, and says nothing of what a server sent instead.
 */
export async function fetchBundle(call: BundleCall): Promise<Result<string>> {
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(call.timeoutMs)]);
  try {
    return await follow({ ...call, signal }, call.url, MOST_REDIRECTS);
  } catch (fault) {
    return unavailable(call.url, signal.aborted ? "it took too long" : reasonOf(fault));
  }
}

const reasonOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));

const unavailable = (url: string, why: string): Result<never> =>
  refuse("BUNDLE_UNAVAILABLE", "", `${URL.parse(url)?.host ?? "The endpoint"} gave no bundle: ${why.slice(0, 300)}.`);

async function follow(call: BundleCall, url: string, left: number): Promise<Result<string>> {
  if (!isBundleUrl(url)) return unavailable(call.url, "it redirects to what is no https URL without user info");
  const answer = await get(call, url);
  if (answer.location === undefined) return readText(url, answer);
  if (left === 0) return unavailable(call.url, `it redirects more than ${MOST_REDIRECTS} times`);
  return follow(call, URL.parse(answer.location, url)?.href ?? "", left - 1);
}

type Answer = { readonly status: number; readonly body: Buffer; readonly location?: string };

function readText(url: string, { status, body }: Answer): Result<string> {
  if (status !== 200) return unavailable(url, `it answered ${status}`);
  try {
    return ok(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return unavailable(url, "its answer is not UTF-8");
  }
}

function get({ identity, signal }: BundleCall, url: string): Promise<Answer> {
  const options: RequestOptions = { agent: false, signal, headers: { Accept: "application/json" }, ...tlsOf(identity) };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, (incoming) => {
      const { statusCode: status = 0, headers } = incoming;
      if (REDIRECTS.has(status) && headers.location !== undefined) {
        resolve({ status, body: Buffer.alloc(0), location: headers.location });
        outgoing.destroy();
      } else readBody(incoming).then((body) => resolve({ status, body }), reject);
    });
    // Without a listener Node closes the connection of whoever would speak another protocol, and nothing else is told of it.
    outgoing.on("upgrade", (_, socket) => {
      socket.destroy();
      reject(new Error("it would speak another protocol"));
    });
    outgoing.on("error", reject).end();
  });
}

/** A chain may end at any certificate of a bundle: a SPIFFE authority need not have signed itself. */
const tlsOf = (identity: EndpointIdentity | undefined): RequestOptions =>
  identity === undefined
    ? {}
    : {
        // Never an empty text, which Node takes for the authorities of the web.
        ca: [...identity.authorities],
        allowPartialTrustChain: true,
        checkServerIdentity: (_, { raw }) => {
          const wrong = identity.judge(raw);
          return wrong === undefined ? undefined : new Error(wrong);
        },
      };

async function readBody(incoming: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += chunk.length;
    if (size > MOST_BUNDLE) throw new Error("its answer is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
