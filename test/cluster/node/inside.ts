import { request } from "node:http";
import { connect, type Socket } from "node:net";

/** Connects to an address inside the node's network by the door's socket; throws where nobody listens. */
export function connectInside(proxySocket: string, address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: proxySocket });
    socket.once("error", reject);
    socket.once("connect", () => socket.write(`CONNECT ${address} HTTP/1.1\r\nHost: ${address}\r\n\r\n`));
    socket.once("data", (answer: Buffer) => {
      socket.removeListener("error", reject);
      if (answer.toString("latin1").startsWith("HTTP/1.1 200")) resolve(socket);
      else reject(new Error(`${address} inside the node: ${answer.toString("latin1").split("\r\n")[0] ?? ""}`));
    });
  });
}

/** The status of a plain GET inside the node's network; 0 where nobody answers. */
export async function statusInside(proxySocket: string, address: string, path: string): Promise<number> {
  const socket = await connectInside(proxySocket, address).catch(() => undefined);
  if (socket === undefined) return 0;
  return new Promise((resolve) => {
    const options = { path, headers: { host: address, connection: "close" } };
    const outgoing = request({ ...options, createConnection: () => socket }, (incoming) => {
      incoming.resume();
      resolve(incoming.statusCode ?? 0);
    });
    outgoing.once("error", () => resolve(0));
    outgoing.end();
  });
}
