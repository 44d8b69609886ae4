import { once } from "node:events";
import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { ok, type Result } from "../../../src/domain/problem.ts";
import type { GrpcLimits } from "../../../src/http/grpc/server.ts";
import type { Present } from "../../../src/bin/issuing/present.ts";
import { newCsr, openDoor, podOf } from "./door.ts";
import { call, certificateRequest, CREATE, framed } from "./grpc-call.ts";

let door: Awaited<ReturnType<typeof openDoor>> | undefined;
afterEach(() => door?.stop());

async function opened(limits: Partial<GrpcLimits>) {
  door = await openDoor({ credential: { burst: 1000, perSecond: 1000 } }, limits);
  door.world.tokens = new Map([["cart-token", podOf("web", "cart")]]);
  return door;
}

const asking = () => ({ token: "cart-token", body: framed(certificateRequest(newCsr())) });

/** A judge of tokens that waits for a word, and how many it has been asked about. */
function heldUp() {
  const word = Promise.withResolvers<Result<Present>>();
  const asked: string[] = [];
  const judge = (token: string): Promise<Result<Present>> => {
    asked.push(token);
    return word.promise;
  };
  return { judge, asked, goOn: () => word.resolve(ok(podOf("web", "cart"))) };
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await sleep(5);
};

/** A call in a connection of its own that is left open. */
function calling(port: number, { token = "cart-token", localAddress = "127.0.0.1" } = {}): ClientHttp2Stream {
  const over = { rejectUnauthorized: false, localAddress };
  const session = connectHttp2(`https://127.0.0.1:${port}`, over);
  session.on("error", () => undefined);
  const stream = session.request({
    ":method": "POST",
    ":path": CREATE,
    "content-type": "application/grpc",
    authorization: `Bearer ${token}`,
  });
  stream.on("close", () => session.destroy());
  return stream;
}

test("no more calls than there is place for are held, over all connections; the rest may come again", async () => {
  const { world, grpcPort } = await opened({ allStreams: 2 });
  const held = heldUp();
  world.judge = held.judge;
  const first = [call(grpcPort, asking()), call(grpcPort, asking())];
  await until(() => held.asked.length === 2);
  await expect(call(grpcPort, asking())).rejects.toThrow("NGHTTP2_REFUSED_STREAM");
  held.goOn();
  expect((await Promise.all(first)).map(({ status }) => status)).toEqual([0, 0]);
  expect((await call(grpcPort, asking())).status).toBe(0);
});

test("a call that is refused is over, though its caller would say more", async () => {
  const { grpcPort } = await opened({ allStreams: 1 });
  const stream = calling(grpcPort, { token: "stolen" });
  stream.write("x");
  const [[headers]] = await Promise.all([once(stream, "response"), once(stream, "close")]);
  expect([(headers as Record<string, string>)["grpc-status"], stream.rstCode]).toEqual(["16", 0]);
  expect((await call(grpcPort, asking())).status).toBe(0);
});

test("one address has no more calls than its share, so that others are answered", async () => {
  const { world, grpcPort } = await opened({ allStreams: 2, addressStreams: 1 });
  const held = heldUp();
  world.judge = held.judge;
  const first = call(grpcPort, asking());
  await until(() => held.asked.length === 1);
  await expect(call(grpcPort, asking())).rejects.toThrow("NGHTTP2_REFUSED_STREAM");
  const other = calling(grpcPort, { localAddress: "127.0.0.2" });
  other.end(asking().body);
  await until(() => held.asked.length === 2);
  held.goOn();
  const [[headers], { status }] = await Promise.all([once(other, "response"), first]);
  expect([(headers as Record<string, string>)[":status"], status]).toEqual([200, 0]);
  other.close();
  expect((await call(grpcPort, asking())).status).toBe(0);
});

test("a call ends in its time, however busy it is", async () => {
  const { grpcPort } = await opened({ streamMs: 300 });
  const stream = calling(grpcPort);
  const closed = once(stream, "close");
  stream.on("error", () => undefined);
  const drops = setInterval(() => stream.write("x"), 20);
  await closed;
  clearInterval(drops);
  expect(stream.rstCode).toBe(8);
});

test("a connection ends in its time, though a call goes on in it", async () => {
  const { world, grpcPort } = await opened({ sessionMs: 50, streamMs: 250 });
  world.judge = heldUp().judge;
  const stream = calling(grpcPort);
  const { session } = stream;
  stream.on("error", () => undefined);
  await once(session ?? stream, "goaway");
  await once(session ?? stream, "close");
  expect(session?.destroyed).toBe(true);
});

test("a connection that never says a word does not hold up the end", async () => {
  const { grpc, grpcPort } = await opened({});
  const socket = connect(grpcPort, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  const closed = once(socket, "close");
  await Promise.all([grpc.stop(20), closed]);
  expect(socket.destroyed).toBe(true);
});

test("a caller that gives up while it is looked at is no fault of ours", async () => {
  const { world, grpcPort, said } = await opened({});
  const held = heldUp();
  world.judge = held.judge;
  const stream = calling(grpcPort);
  stream.on("error", () => undefined);
  stream.write(asking().body);
  await until(() => held.asked.length === 1);
  stream.close(8);
  await once(stream, "close");
  held.goOn();
  world.judge = undefined;
  expect([(await call(grpcPort, asking())).status, said]).toEqual([0, []]);
});
