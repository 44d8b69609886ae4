import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { Socket } from "node:net";
import type { Clock } from "../../src/kube/clock.ts";
import type { ClusterAccess } from "../../src/kube/config.ts";
import type { Resource } from "../../src/kube/resources.ts";
import { makeAuthority } from "../cluster/pki.ts";
import { type ApiRequest, readRequest, type SeenRequest } from "./api-request.ts";
import { type CannedAnswer, type Faults, type FaultState, makeFaults, serving } from "./api-faults.ts";
import { type Reviewers, VERBS } from "./api-verbs.ts";
import { type Json, ObjectStore, Refusal } from "./object-store.ts";
import { openWatch } from "./open-watch.ts";

export type FakeApiServerOptions = Reviewers & {
  readonly clock: Clock;
  readonly resources: readonly Resource[];
  /** Whether a watch may stream a listing first; without, it is refused as old servers do. */
  readonly streamingList?: boolean;
};

export type FakeApiServer = {
  readonly url: string;
  readonly access: ClusterAccess;
  readonly store: ObjectStore;
  readonly faults: Faults;
  readonly seen: readonly SeenRequest[];
  readonly openWatches: () => number;
  readonly close: () => Promise<void>;
};

type State = FaultState & { readonly options: FakeApiServerOptions; readonly seen: SeenRequest[] };

/** Starts a Kubernetes API server in memory behind a real TLS socket on loopback, with faults that a test switches on. */
export async function startFakeApiServer(options: FakeApiServerOptions): Promise<FakeApiServer> {
  const authority = await makeAuthority("fake");
  const state: State = {
    options,
    store: new ObjectStore(options.clock.wall),
    watches: new Set(),
    sockets: new Set(),
    seen: [],
    canned: [],
    refusing: false,
    hanging: false,
    token: "token-1",
  };
  const files = { ca: authority.cert, token: state.token };
  const server = createServer(await serving(authority), (request, response) => void serve(state, request, response));
  server.keepAliveTimeout = 600_000;
  server.on("connection", (socket: Socket) => accept(state, socket));
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const url = `https://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  const credentials = async () => ({ ca: files.ca, token: files.token, skipVerify: false });
  return {
    url,
    access: { server: new URL(url), namespace: "default", credentials },
    store: state.store,
    faults: makeFaults(state, server, files),
    seen: state.seen,
    openWatches: () => state.watches.size,
    close: async () => {
      for (const socket of state.sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function accept(state: State, socket: Socket): void {
  if (state.refusing) return void socket.resetAndDestroy();
  state.sockets.add(socket);
  socket.on("error", () => undefined);
  socket.on("close", () => state.sockets.delete(socket));
}

async function serve(state: State, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const request = await readRequest(incoming).catch(() => undefined);
  if (request === undefined || state.hanging) return;
  const { path, query } = request;
  try {
    const call = request.read([...state.options.resources]);
    const { verb } = call;
    if (incoming.headers.authorization !== `Bearer ${state.token}`)
      throw new Refusal(401, "Unauthorized", "Unauthorized");
    const status = answer(state, call, response);
    state.seen.push({ verb, path, query, status });
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    state.seen.push({ verb: query["watch"] === "true" ? "watch" : "get", path, query, status: fault.status });
    reply(response, fault.status, statusBody(fault.status, fault.reason, fault.message));
  }
}

function answer(state: State, call: ApiRequest, response: ServerResponse): number {
  const canned = takeCanned(state, call.verb);
  if (canned) {
    reply(response, canned.status, statusBody(canned.status, "Canned", "a canned answer"), canned.headers);
    return canned.status;
  }
  if (call.verb === "watch") {
    watch(state, call, response);
    return 200;
  }
  const made = VERBS[call.verb]({ store: state.store, reviewers: state.options }, call);
  const status = call.verb === "create" ? 201 : 200;
  reply(response, status, made);
  return status;
}

function takeCanned(state: State, verb: string): CannedAnswer | undefined {
  const found = state.canned.find((each) => each.verb === verb && each.times > 0);
  if (!found) return undefined;
  found.times -= 1;
  return found.canned;
}

function watch(state: State, { target, query }: ApiRequest, response: ServerResponse): void {
  const { store, options } = state;
  const listing = query["sendInitialEvents"] === "true";
  if (listing && options.streamingList !== true)
    throw new Refusal(422, "Invalid", "sendInitialEvents is forbidden for watch unless the WatchList gate is enabled");
  const from = query["resourceVersion"] === undefined ? store.version : Number(query["resourceVersion"]);
  if (from < store.compacted) throw new Refusal(410, "Expired", `too old resource version: ${from}`);
  const opened = openWatch({ store, clock: options.clock, response, target, query, from, listing });
  state.watches.add(opened);
  response.on("close", () => {
    opened.closed();
    state.watches.delete(opened);
  });
}

function statusBody(code: number, reason: string, message: string): Json {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code };
}

function reply(response: ServerResponse, status: number, body: Json, headers: Readonly<Record<string, string>> = {}) {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
