import { connect, type TLSSocket } from "node:tls";

/** How requests are sent: whole HTTP requests as bytes, taken in turn by each of the connections. */
export type Load = {
  readonly port: number;
  readonly authority: string;
  readonly connections: number;
  readonly requests: readonly Buffer[];
  readonly milliseconds: number;
  /** Key and certificates, PEM, that the caller shows. */
  readonly shown?: string;
  /** Called when all connections stand, before the first request. */
  readonly connected?: () => void;
};

/** What came back: how many answers a second, and how long each took, sorted, in milliseconds. */
export type Loaded = { readonly perSecond: number; readonly times: Float64Array; readonly count: number };

/** A POST of a JSON body, as it goes over the wire of the API server. */
export function postOf(path: string, body: string): Buffer {
  const length = Buffer.byteLength(body);
  return Buffer.from(
    `POST ${path}?timeout=10s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: kube-apiserver-admission\r\nContent-Length: ${length}\r\nAccept: application/json, */*\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n${body}`,
  );
}

/** Sends over kept-alive TLS connections, one request at a time on each, until the time is over. */
export async function sendLoad(load: Load): Promise<Loaded> {
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => dial(load)));
  load.connected?.();
  const times: number[] = [];
  const started = performance.now();
  const end = started + load.milliseconds;
  let turn = 0;
  const next = (): Buffer => load.requests[turn++ % load.requests.length] ?? Buffer.alloc(0);
  await Promise.all(sockets.map((socket) => pump(socket, next, end, times)));
  const seconds = (performance.now() - started) / 1000;
  for (const socket of sockets) socket.destroy();
  return { perSecond: times.length / seconds, times: Float64Array.from(times).sort(), count: times.length };
}

const dial = ({ port, authority, shown }: Load): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const own = shown === undefined ? {} : { key: shown, cert: shown };
    // A door's bench has nobody to be deceived by.
    const trust = authority === "" ? { rejectUnauthorized: false } : { ca: authority };
    const socket = connect({ port, host: "127.0.0.1", ...trust, ...own }, () => {
      socket.setNoDelay(true);
      resolve(socket);
    });
    socket.once("error", reject);
  });

const SEPARATOR = "\r\n\r\n";

/** Reads answers by their Content-Length; anything but 200 ends the bench, since it would measure refusals. */
function pump(socket: TLSSocket, next: () => Buffer, end: number, times: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let pending = "";
    let sent = performance.now();
    const send = (): void => {
      sent = performance.now();
      if (sent >= end) resolve();
      else socket.write(next());
    };
    socket.on("data", (chunk: Buffer) => {
      pending += chunk.toString("latin1");
      const head = pending.indexOf(SEPARATOR);
      if (head === -1) return;
      const length = Number(/\r\nContent-Length: (\d+)/i.exec(pending.slice(0, head))?.[1] ?? -1);
      if (pending.length < head + SEPARATOR.length + length) return;
      if (!pending.startsWith("HTTP/1.1 200")) {
        reject(new Error(pending.slice(0, 400)));
        return;
      }
      times.push(performance.now() - sent);
      pending = "";
      send();
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed a connection under load")));
    send();
  });
}
