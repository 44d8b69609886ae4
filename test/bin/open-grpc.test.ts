import { once } from "node:events";
import { connect } from "node:tls";
import { expect, test } from "vitest";
import { besideGrpc } from "../../src/bin/issuing/open-grpc.ts";
import type { Issuing } from "../../src/http/issuing/services.ts";
import { buildServer } from "../../src/http/server.ts";
import { makeAuthority } from "../cluster/pki.ts";
import { freePort } from "../fakes/free-port.ts";
import { quietLog } from "../fakes/quiet-log.ts";
import { fakeServices } from "../fakes/web.ts";

const HOUR_MS = 3_600_000;
const NOBODY: Issuing = {
  authenticate: () => Promise.reject(new Error("nobody calls")),
  documents: { bundle: () => undefined, keys: () => undefined, discovery: () => undefined, lists: () => undefined },
  monotonic: () => 0,
};

test("while callers are given time to notice the drain, Istio's certificate service still answers", async () => {
  const { cert, key } = await (await makeAuthority("tls")).server({ name: "signet" }, ["127.0.0.1"]);
  const pair = { certificate: cert, key };
  const http = buildServer(fakeServices(), { version: "0", pair });
  const port = await freePort();
  const config = { grpc: { host: "127.0.0.1", port, nodeProxies: [] } };
  const both = besideGrpc(http, { config, log: quietLog, issuing: NOBODY, pair });
  await both.listen("127.0.0.1", 0);
  void both.drain(HOUR_MS, 0);
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
  await once(socket, "secureConnect");
  expect(socket.alpnProtocol).toBe("h2");
  socket.destroy();
  await both.drain(0, 0);
  const late = connect({ host: "127.0.0.1", port });
  expect(await once(late, "error")).toMatchObject([{ code: "ECONNREFUSED" }]);
});
