import { request } from "node:https";
import { EXEMPT_NAMESPACES } from "../domain/exempt-namespaces.ts";

/** Where the server is to call itself, and whom it must be able to trust there. PEM. */
export type ProbeTarget = {
  readonly host: string;
  readonly port: number;
  readonly authority: string;
  readonly headers?: Readonly<Record<string, string>>;
};

const TIMEOUT_MS = 5_000;
const UID = "self-probe";
const [NAMESPACE = ""] = EXEMPT_NAMESPACES;

/** The review that a server asks itself: a dry run about a Pod that nobody refuses, so that it leaves nothing behind. */
export const PROBE_REVIEW = JSON.stringify({
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  request: {
    uid: UID,
    operation: "CREATE",
    dryRun: true,
    namespace: NAMESPACE,
    name: UID,
    kind: { group: "", version: "v1", kind: "Pod" },
    resource: { group: "", version: "v1", resource: "pods" },
    userInfo: { username: UID },
    object: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: UID, namespace: NAMESPACE },
      spec: { containers: [{ name: UID, image: UID }] },
    },
  },
});

/**
 * Calls the server as an API server would: a new connection, TLS verified against the authority, one review, its verdict
 * read. Gives undefined where all went well, else what did not.
 */
export async function probeSelf({ host, port, authority, headers }: ProbeTarget): Promise<string | undefined> {
  try {
    const { status, body } = await post(host, port, authority, headers ?? {});
    if (status !== 200) return `the review was answered with ${status}`;
    const { response } = JSON.parse(body) as {
      readonly response?: { readonly uid?: string; readonly allowed?: boolean };
    };
    return response?.uid === UID && response.allowed === true ? undefined : "the review got no verdict";
  } catch (fault) {
    return fault instanceof Error ? fault.message : String(fault);
  }
}

type Answer = { readonly status: number; readonly body: string };

function post(host: string, port: number, ca: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host,
        port,
        ca,
        agent: false,
        method: "POST",
        path: "/validate",
        timeout: TIMEOUT_MS,
        headers: { ...headers, "content-type": "application/json", "content-length": Buffer.byteLength(PROBE_REVIEW) },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.once("error", reject);
        incoming.once("end", () =>
          resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
        );
      },
    );
    outgoing.once("timeout", () => outgoing.destroy(new Error("no answer in time")));
    outgoing.once("error", reject);
    outgoing.end(PROBE_REVIEW);
  });
}
