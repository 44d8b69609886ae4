import { Agent } from "node:https";
import type { Clock } from "./clock.ts";
import type { ClusterAccess, Credentials } from "./config.ts";

/** How long credentials are believed: kubelet renews a token long before it ends. */
const CREDENTIALS_MS = 60_000;

/** Connections and the credentials that they go with. */
export type Open = { readonly agent: Agent; readonly credentials: Credentials };

/** Which connections to use as of now. */
export type Session = {
  readonly current: () => Promise<Open>;
  /** After a failed connection: read the files again before the next one; the authority may have changed. */
  readonly doubt: () => void;
  /** After a 401: forget what plugins cached, too. */
  readonly refuse: () => void;
  readonly close: () => void;
};

/** Keeps one agent for as long as the TLS side of the credentials stays the same. */
export function makeSession(access: ClusterAccess, clock: Clock): Session {
  let open: Open | undefined;
  let trust: "good" | "doubted" | "refused" = "refused";
  let readAt = 0;
  let reading: Promise<Open> | undefined;

  const read = async (): Promise<Open> => {
    const fresh = trust === "refused" && open !== undefined;
    const credentials = await access.credentials(fresh);
    readAt = clock.monotonic();
    trust = "good";
    if (open && tlsOf(open.credentials) === tlsOf(credentials)) open = { agent: open.agent, credentials };
    else {
      if (open) retire(open.agent);
      open = { agent: makeAgent(credentials), credentials };
    }
    return open;
  };

  return {
    current: async () => {
      if (open && trust === "good" && clock.monotonic() - readAt < CREDENTIALS_MS) return open;
      reading ??= read().finally(() => {
        reading = undefined;
      });
      return reading;
    },
    doubt: () => {
      if (trust === "good") trust = "doubted";
    },
    refuse: () => {
      trust = "refused";
    },
    close: () => open?.agent.destroy(),
  };
}

const tlsOf = ({ ca, cert, key, serverName, skipVerify }: Credentials): string =>
  JSON.stringify([ca, cert, key, serverName, skipVerify]);

const makeAgent = ({ ca, cert, key, serverName, skipVerify }: Credentials): Agent =>
  new Agent({
    keepAlive: true,
    scheduling: "lifo",
    maxSockets: 256,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: !skipVerify,
  });

/** Requests under way finish; nothing new goes over the old connections. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}
