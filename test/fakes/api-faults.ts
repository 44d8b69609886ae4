import type { Server } from "node:https";
import type { Socket } from "node:net";
import { type Authority, makeAuthority } from "../cluster/pki.ts";
import type { Verb } from "./api-request.ts";
import type { Json, ObjectStore } from "./object-store.ts";
import type { OpenWatch } from "./open-watch.ts";

export type CannedAnswer = { readonly status: number; readonly headers?: Readonly<Record<string, string>> };

/** What a test may do to the server. */
export type Faults = {
  /** Cuts every connection with a RST. */
  readonly reset: () => void;
  /** While on, every new connection is cut at once. */
  readonly refuseConnections: (on: boolean) => void;
  /** Open watches fall silent for good, and nothing tells the client. */
  readonly freeze: () => void;
  /** While on, requests are read and never answered. */
  readonly hang: (on: boolean) => void;
  /** The next `times` requests of this kind get this answer. */
  readonly answer: (verb: Verb, canned: CannedAnswer, times?: number) => void;
  /** Ends every canned answer. */
  readonly clear: () => void;
  /** Says into each open watch that its version is too old. */
  readonly gone: () => void;
  /** Sends half an event and ends the stream. */
  readonly breakOff: () => void;
  /** Sends any line into the open watches. */
  readonly line: (text: string) => void;
  /** Sends ADDED again for each object that is there. */
  readonly duplicate: () => void;
  readonly bookmark: (version: number) => void;
  /** Sends an event as it is, whatever its version. */
  readonly event: (type: string, object: Json) => void;
  /** Restores an older state of the store's versions and cuts every connection. */
  readonly restartAt: (version: number) => void;
  /** From now on only this token is good; whoever reads the token file sees it only after `publish`. */
  readonly expireToken: (token: string) => { readonly publish: () => void };
  /** From now on the server's certificate comes from another authority; the CA file has it after `publish`. */
  readonly changeAuthority: () => Promise<{ readonly publish: () => void }>;
};

/** What faults change and requests obey. */
export type FaultState = {
  readonly store: ObjectStore;
  readonly watches: Set<OpenWatch>;
  readonly sockets: Set<Socket>;
  canned: { verb: Verb; canned: CannedAnswer; times: number }[];
  refusing: boolean;
  hanging: boolean;
  token: string;
};

/** What a client reads from its files. */
export type ClientFiles = { ca: string; token: string };

/** The server's certificate and key. */
export const serving = (authority: Authority) => authority.server({ name: "fake-api-server" }, ["127.0.0.1"]);

/** The faults of one server. */
export const makeFaults = (state: FaultState, server: Server, files: ClientFiles): Faults => ({
  ...connectionFaults(state, server, files),
  ...watchFaults(state),
  answer: (verb, canned, times = 1) => void state.canned.push({ verb, canned, times }),
  clear: () => {
    state.canned = [];
  },
});

type ConnectionFaults = Pick<
  Faults,
  "reset" | "refuseConnections" | "hang" | "restartAt" | "expireToken" | "changeAuthority"
>;

function connectionFaults(state: FaultState, server: Server, files: ClientFiles): ConnectionFaults {
  const reset = (): void => {
    for (const socket of state.sockets) socket.resetAndDestroy();
  };
  return {
    reset,
    refuseConnections: (on) => {
      state.refusing = on;
    },
    hang: (on) => {
      state.hanging = on;
    },
    restartAt: (version) => {
      state.store.goBackTo(version);
      reset();
    },
    expireToken: (token) => {
      state.token = token;
      reset();
      return { publish: () => void Object.assign(files, { token }) };
    },
    changeAuthority: async () => {
      const next = await makeAuthority("another");
      server.setSecureContext(await serving(next));
      reset();
      return { publish: () => void Object.assign(files, { ca: next.cert }) };
    },
  };
}

const GONE = { kind: "Status", status: "Failure", reason: "Expired", code: 410, message: "too old resource version" };

function watchFaults(
  state: FaultState,
): Pick<Faults, "freeze" | "gone" | "breakOff" | "line" | "duplicate" | "bookmark" | "event"> {
  const everyWatch = (act: (watch: OpenWatch) => void): void => [...state.watches].forEach(act);
  return {
    freeze: () => everyWatch((watch) => watch.freeze()),
    gone: () => {
      state.store.compact();
      everyWatch((watch) => {
        watch.send("ERROR", GONE);
        watch.end();
      });
    },
    breakOff: () =>
      everyWatch((watch) => {
        watch.line('{"type":"MODIFIED","object":{"metadata":{"uid":"0');
        watch.end();
      }),
    line: (text) => everyWatch((watch) => watch.line(text)),
    duplicate: () =>
      everyWatch((watch) => {
        for (const object of state.store.list(watch.resource)) watch.send("ADDED", object);
      }),
    bookmark: (version) => everyWatch((watch) => watch.bookmark(version)),
    event: (type, object) => everyWatch((watch) => watch.send(type, object)),
  };
}
