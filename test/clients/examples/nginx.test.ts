import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../../fakes/free-port.ts";
import { listening } from "./programs.ts";
import { startNginx } from "./table.ts";
import { type Account, type Authority, idOf, makeAuthority, mountedFor } from "./world.ts";

/** A server of that account, and the port it listens on. */
async function upstream(account: Account, by: Authority): Promise<number> {
  const svid = await by.issueTo(account);
  const options = { key: svid, cert: svid, ca: by.root, requestCert: true, rejectUnauthorized: true };
  const server = createServer(options, (_request, response) => response.end("ok\n")).listen(0, "127.0.0.1");
  onTestFinished(() => server.close().closeAllConnections());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

test.each([
  ["the DNS name of its role is answered", "back", "200 ok\n"],
  ["another workload of the trust domain, which has no such name, is not talked to", "other", "502"],
] as const)("nginx as a caller: %s", async (_title, account, said) => {
  const by = await makeAuthority();
  const [door, port] = [await freePort(), await freePort()];
  const ports = { "8443": port, "8080": door, "9443": await upstream(account, by) };
  const nginx = startNginx(await mountedFor("front", by), ports, idOf("front"));
  await listening(door, nginx);
  const answer = await fetch(`http://127.0.0.1:${door}/`);
  expect(`${answer.status} ${await answer.text()}`).toMatch(new RegExp(`^${said}`));
});
