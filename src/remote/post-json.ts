import { request } from "node:https";
import { refuse, type Result, ok } from "../domain/problem.ts";
import { isRaw, type Raw, textAt } from "../wire/read-object.ts";

/** Who calls: by a token, or by the certificate it has, a private key and its chain in one PEM text. */
export type Credential = { readonly token: string } | { readonly svid: string };

/** A call of a Signet server by the command line. */
export type PostCall = {
  readonly url: URL;
  readonly credential: Credential;
  /** Authority of the server's certificate, PEM. */
  readonly authority: string;
  readonly body: object;
};

const MOST_BYTES = 1024 * 1024;
const TIMEOUT_MS = 30_000;

/** Posts JSON and reads JSON. What the server refuses is told in its words (CALLER_UNKNOWN for 401, else API_REFUSED). */
export async function postJson(call: PostCall): Promise<Result<Raw>> {
  const answer = await send(call).catch((fault: unknown) => String(fault instanceof Error ? fault.message : fault));
  if (typeof answer === "string")
    return refuse(
      "NOT_READY",
      "",
      `${call.url.origin} did not answer: ${answer}.`,
      "Check URL, network and authority.",
    );
  const read = readJson(answer.text);
  if (answer.status === 200 && read) return ok(read);
  const said = (read && textAt(read, "detail")) ?? `HTTP ${answer.status}`;
  return refuse(answer.status === 401 ? "CALLER_UNKNOWN" : "API_REFUSED", "", `The server refused: ${said}`);
}

function readJson(text: string): Raw | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRaw(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

type Answer = { readonly status: number; readonly text: string };

function send({ url, credential, authority, body }: PostCall): Promise<Answer> {
  const payload = JSON.stringify(body);
  const content = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(payload) };
  const { headers, ...own } =
    "token" in credential
      ? { headers: { ...content, Authorization: `Bearer ${credential.token}` } }
      : { headers: content, key: credential.svid, cert: credential.svid };
  const options = { ...own, method: "POST", ca: authority, agent: false, headers, timeout: TIMEOUT_MS };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        if (text.length > MOST_BYTES) incoming.destroy(new Error("the answer is too large"));
      });
      incoming.on("error", reject).on("end", () => resolve({ status: incoming.statusCode ?? 0, text }));
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer in time"))).on("error", reject);
    outgoing.end(payload);
  });
}
