import { connect, type TLSSocket } from "node:tls";
import { CREATE } from "../http/issuing/grpc-call.ts";
import type { Loaded } from "./load.ts";

/** How calls are sent: each message in turn by each of the connections, of which one call at a time is made. */
export type GrpcLoad = {
  readonly port: number;
  readonly connections: number;
  readonly messages: readonly Buffer[];
  readonly milliseconds: number;
  /** Key and certificates, PEM, that the caller shows. */
  readonly shown: string;
  /** Called when all connections stand, before the first call. */
  readonly connected: () => void;
};

// RFC 9113 §6: types and flags of the few frames that are sent or looked at.
const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, goAway: 7, windowUpdate: 8 } as const;
const [ACK, END_STREAM, END_HEADERS] = [1, 1, 4];
const HEAD_BYTES = 9;

/**
 * Calls over HTTP/2, written and read as frames: a client that does more than that would take from the server the cores that
 * they share.
 */
export async function sendCalls(load: GrpcLoad): Promise<Loaded> {
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => dial(load)));
  const calls = load.messages.map(callOf);
  load.connected();
  const times: number[] = [];
  const started = performance.now();
  let turn = 0;
  const next = (): Buffer => calls[turn++ % calls.length] ?? Buffer.alloc(0);
  await Promise.all(sockets.map((socket) => pump(socket, next, started + load.milliseconds, times)));
  const seconds = (performance.now() - started) / 1000;
  for (const socket of sockets) socket.destroy();
  return { perSecond: times.length / seconds, times: Float64Array.from(times).sort(), count: times.length };
}

const dial = ({ port, shown }: GrpcLoad): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const own = { key: shown, cert: shown, rejectUnauthorized: false, ALPNProtocols: ["h2"] };
    const socket = connect({ port, host: "127.0.0.1", ...own }, () => {
      socket.setNoDelay(true);
      const window = Buffer.alloc(4);
      window.writeUInt32BE(0x7fff_0000);
      socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
      socket.write(Buffer.concat([frame(FRAME.settings, 0, Buffer.of()), frame(FRAME.windowUpdate, 0, window)]));
      resolve(socket);
    });
    socket.once("error", reject);
  });

function frame(type: number, flags: number, payload: Buffer, stream = 0): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A text of HPACK without Huffman coding (RFC 7541 §5.2). */
const text = (value: string): Buffer => Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);

/** Fields by their index in the static table (RFC 7541 appendix A), or literal, and never indexed anew. */
const FIELDS = Buffer.concat([
  Buffer.of(0x83, 0x87, 0x04), // :method POST, :scheme https, :path
  text(CREATE),
  Buffer.of(0x01), // :authority
  text("127.0.0.1"),
  Buffer.of(0x0f, 0x10), // content-type
  text("application/grpc"),
  Buffer.of(0x00),
  text("te"),
  text("trailers"),
]);

/** A whole call but for its stream, which `numbered` writes. */
const callOf = (message: Buffer): Buffer =>
  Buffer.concat([frame(FRAME.headers, END_HEADERS, FIELDS), frame(FRAME.data, END_STREAM, message)]);

function numbered(call: Buffer, stream: number): Buffer {
  const own = Buffer.from(call);
  own.writeUInt32BE(stream, 5);
  own.writeUInt32BE(stream, HEAD_BYTES + FIELDS.length + 5);
  return own;
}

/** Anything but an answer with a message ends the bench, since it would measure refusals: those have trailers alone. */
function pump(socket: TLSSocket, next: () => Buffer, end: number, times: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let pending: Buffer = Buffer.of();
    let [stream, sent, answered] = [1, 0, false];
    const send = (): void => {
      sent = performance.now();
      if (sent >= end) resolve();
      else socket.write(numbered(next(), stream));
    };
    const take = (type: number, flags: number, length: number): void => {
      if (type === FRAME.settings && flags !== ACK) socket.write(frame(FRAME.settings, ACK, Buffer.of()));
      if (type === FRAME.reset || type === FRAME.goAway) return reject(new Error("a call was ended"));
      if (type === FRAME.data && length > 0) answered = true;
      if (type !== FRAME.headers || (flags & END_STREAM) === 0) return;
      if (!answered) return reject(new Error("a call was refused"));
      times.push(performance.now() - sent);
      [stream, answered] = [stream + 2, false];
      send();
    };
    socket.on("data", (chunk: Buffer) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      while (pending.length >= HEAD_BYTES) {
        const length = pending.readUIntBE(0, 3);
        if (pending.length < HEAD_BYTES + length) break;
        const [type = -1, flags = 0] = pending.subarray(3, 5);
        pending = pending.subarray(HEAD_BYTES + length);
        take(type, flags, length);
      }
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed a connection under load")));
    send();
  });
}
