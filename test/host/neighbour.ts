import { createSocket } from "node:dgram";
import { connect, createServer, type Socket } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";

/**
 * A host in a network namespace of its own: it listens on the ports that it is given (TCP and UDP, echoing), and answers
 * each line of its input, `{id, asks: [{proto, to, port}], ms}`, with what became of each connection. `{id, hold}` keeps one
 * open, and `{id, beat}` says whether what is sent over it still comes back.
 */
type Ask = { readonly proto: "tcp" | "udp"; readonly to: string; readonly port: number };
type Order = { readonly id: number; readonly ms: number; readonly asks?: readonly Ask[]; readonly hold?: Ask };

for (const port of process.argv.slice(2).map(Number)) {
  createServer((socket) => socket.on("error", () => undefined).pipe(socket)).listen(port, "0.0.0.0");
  const udp = createSocket("udp4").bind(port);
  udp.on("message", (message, { address, port: back }) => udp.send(message, back, address));
}

let held: Socket | undefined;

/** Rules of this very host let a packet not out: the kernel says EPERM to whoever sends it. */
const outcomeOf = (fault: string): string =>
  fault.includes("ECONNREFUSED") ? "refused" : fault.includes("EPERM") ? "dropped" : fault;

const tcp = ({ to, port }: Ask, ms: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ host: to, port });
    const end = (outcome: string): void => {
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => end("dropped"), ms);
    socket.once("connect", () => end("open")).on("error", ({ message }) => end(outcomeOf(message)));
    socket.once("close", () => clearTimeout(timer));
  });

const udp = ({ to, port }: Ask, ms: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = createSocket("udp4");
    const again = setInterval(() => socket.send("probe", () => undefined), 100);
    const timer = setTimeout(() => end("dropped"), ms);
    const end = (outcome: string): void => {
      clearInterval(again);
      clearTimeout(timer);
      socket.close();
      resolve(outcome);
    };
    socket.on("error", ({ message }) => end(outcomeOf(message))).on("message", () => end("open"));
    socket.connect(port, to, () => socket.send("probe", (fault) => fault && end(outcomeOf(fault.message))));
  });

const hold = ({ to, port }: Ask): Promise<string> =>
  new Promise((resolve) => {
    held = connect({ host: to, port }, () => resolve("open"));
    held.on("error", ({ message }) => resolve(message));
  });

const beat = (ms: number): Promise<string> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve("silent"), ms);
    held?.once("data", () => {
      clearTimeout(timer);
      resolve("answered");
    });
    held?.write("beat");
  });

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, ms, asks, hold: asked } = JSON.parse(line) as Order;
  const work = asks
    ? asks.map((ask) => (ask.proto === "tcp" ? tcp(ask, ms) : udp(ask, ms)))
    : [asked ? hold(asked) : beat(ms)];
  void Promise.all(work).then((results) => process.stdout.write(`${JSON.stringify({ id, results })}\n`));
});
process.stdout.write("ready\n");
