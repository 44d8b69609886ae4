import { once } from "node:events";
import { createServer } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Authority } from "../cluster/pki.ts";

/** One call, as far as tests ask: which entry of the configurations it came through, and what it was about. */
export type RecordedCall = { readonly entry: string; readonly what: string };

/** How the webhook behaves; `silent` takes the request and never answers. */
export type Behaviour = "allow" | "stamp" | "silent";

/** A webhook that notes who is called, at `/record/ENTRY`. */
export type RecordingWebhook = {
  readonly url: string;
  /** What was recorded since the last time, in order of arrival. */
  readonly take: () => readonly RecordedCall[];
  readonly behave: (behaviour: Behaviour) => void;
  /** Takes no connections and cuts those there are. */
  readonly die: () => Promise<void>;
  /** Listens again, at the same port. */
  readonly revive: () => Promise<void>;
};

type Review = {
  readonly request: {
    readonly uid: string;
    readonly operation: string;
    readonly resource: { readonly resource: string };
    readonly subResource?: string;
    readonly object?: { readonly metadata?: { readonly labels?: object } };
  };
};

/** Listens on 127.0.0.1 with a certificate of this authority. */
export async function startRecordingWebhook(authority: Authority): Promise<RecordingWebhook> {
  const pair = await authority.server({ name: "webhook" }, ["127.0.0.1"]);
  let calls: RecordedCall[] = [];
  let behaviour: Behaviour = "allow";
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { request } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Review;
    const entry = (incoming.url ?? "").split("?")[0]?.replace("/record/", "") ?? "";
    const resource = [request.resource.resource, request.subResource].filter(Boolean).join("/");
    calls.push({ entry, what: `${request.operation} ${resource}` });
    if (behaviour === "silent") return;
    const patch = behaviour === "stamp" && entry.includes(".stamp.") ? stampOf(request) : {};
    outgoing.setHeader("content-type", "application/json");
    const response = { uid: request.uid, allowed: true, ...patch };
    outgoing.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response }));
  };
  const server = createServer(pair, (incoming, outgoing) => void handle(incoming, outgoing));
  const listen = async (port: number): Promise<number> => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  };
  const port = await listen(0);
  return {
    url: `https://127.0.0.1:${port}`,
    take: () => {
      const taken = calls;
      calls = [];
      return taken;
    },
    behave: (wanted) => {
      behaviour = wanted;
    },
    die: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
    revive: async () => {
      await listen(port);
    },
  };
}

function stampOf(request: Review["request"]): object {
  const labels = { ...request.object?.metadata?.labels, "signet.dev/role": "orders-db" };
  const patch = [{ op: "add", path: "/metadata/labels", value: labels }];
  return { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch)).toString("base64") };
}
