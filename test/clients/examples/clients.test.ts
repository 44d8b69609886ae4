import { X509Certificate } from "node:crypto";
import { createServer } from "node:https";
import type { TLSSocket } from "node:tls";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import process from "node:process";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { type Judges, judges } from "../judges.ts";
import { CLIENTS, startClient } from "./table.ts";
import { type Authority, idOf, makeAuthority, mountedFor } from "./world.ts";

const POLL = { timeout: 20_000, interval: 50 };

let built: Judges;
beforeAll(async () => {
  built = await judges(process.env, () => undefined);
});

/** A server that says nothing but ok, once for each connection, and remembers who signed its callers' certificates. */
async function servedBy(svid: string, roots: string, authorities: Readonly<Record<string, Authority>>) {
  const met = new Set<string>();
  const trusted = { key: svid, cert: svid, ca: roots };
  const server = createServer({ ...trusted, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    const caller = (request.socket as TLSSocket).getPeerX509Certificate();
    for (const [name, { issuing }] of Object.entries(authorities))
      if (caller?.checkIssued(new X509Certificate(issuing))) met.add(`${caller.subjectAltName} by ${name}`);
    response.writeHead(200, { connection: "close" }).end("ok\n");
  });
  server.listen(0, "127.0.0.1");
  onTestFinished(() => server.close().closeAllConnections());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const use = (own: string, bundle: string): void => server.setSecureContext({ key: own, cert: own, ca: bundle });
  return { met, url: `https://localhost:${port}/`, use };
}

test.each(CLIENTS)(
  "the %s example as a client goes from one authority to the next, and talks to its server alone",
  { timeout: 60_000 },
  async (language) => {
    const [old, next, foreign] = await Promise.all([makeAuthority(), makeAuthority(), makeAuthority()]);
    const mounted = await mountedFor("front", old);
    const both = old.root + next.root;
    const { met, url, use } = await servedBy(await old.issueTo("back"), both, { old, next });
    const client = startClient(language, built, url, idOf("back"), mounted);
    const front = `URI:${idOf("front")}`;
    await expect.poll(() => [...met], POLL).toEqual([`${front} by old`]);
    mounted.write("trust", both);
    mounted.write("svid", await next.issueTo("front"));
    await expect.poll(() => [...met], POLL).toEqual([`${front} by old`, `${front} by next`]);
    use(await next.issueTo("back"), next.root);
    mounted.write("trust", next.root);
    const answers = client.lines().length;
    await expect.poll(() => client.lines().length, POLL).toBeGreaterThan(answers + 5);
    expect(client.lines().filter((line) => line !== "ok")).toEqual([]);

    for (const svid of [await next.issueTo("other"), await foreign.issueTo("back")]) {
      use(svid, next.root);
      await expect.poll(() => client.lines().at(-1), POLL).not.toBe("ok");
      use(await next.issueTo("back"), next.root);
      await expect.poll(() => client.lines().at(-1), POLL).toBe("ok");
    }
  },
);
