import { mkdtempSync, rmSync, statSync } from "node:fs";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { keepRenewed, servingCertificate } from "../../src/ca/serving.ts";
import { fakeServices, review, startWeb } from "../fakes/web.ts";

const NAMES = ["127.0.0.1", "::1", "localhost", "signet.example.org"];
const HOUR = 3_600_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "signet-test-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const shake = (port: number, options: object): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", ...options }, () => resolve(socket));
    socket.on("error", reject);
  });

test("TLS 1.3 is preferred, 1.2 is taken, 1.1 is not; only HTTP/1.1 is spoken", async () => {
  const web = await startWeb("https");
  const newest = await shake(web.port, { ca: web.authority, ALPNProtocols: ["h2", "http/1.1"] });
  const older = await shake(web.port, { ca: web.authority, maxVersion: "TLSv1.2" });
  expect([newest.getProtocol(), newest.alpnProtocol, older.getProtocol()]).toEqual(["TLSv1.3", "http/1.1", "TLSv1.2"]);
  await expect(
    shake(web.port, { ca: web.authority, maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" }),
  ).rejects.toThrow();
  newest.destroy();
  older.destroy();
  await web.stop();
});

test("the leaf is ECDSA P-256, lives at most 24 hours, and names loopback and what is configured", async () => {
  const certificate = await servingCertificate(join(folder, "a"), NAMES, Date.now());
  const web = await startWeb("https", { pair: certificate });
  const socket = await shake(web.port, { ca: certificate.authority, servername: "signet.example.org" });
  const leaf = socket.getPeerCertificate(true) as PeerCertificate & { asn1Curve?: string };
  expect({ curve: leaf.asn1Curve, names: leaf.subjectaltname }).toEqual({
    curve: "prime256v1",
    names: "IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:localhost, DNS:signet.example.org",
  });
  expect(Date.parse(leaf.valid_to) - Date.parse(leaf.valid_from)).toBeLessThanOrEqual(24 * HOUR);
  socket.destroy();
  await web.stop();
});

test("keys are readable by their owner alone, from the first byte on", async () => {
  await servingCertificate(join(folder, "modes"), NAMES, Date.now());
  const modes = ["", "authority.pem", "leaf.json", "ca.crt"].map((name) =>
    (statSync(join(folder, "modes", name)).mode & 0o777).toString(8),
  );
  expect(modes).toEqual(["700", "600", "600", "644"]);
});

test("the authority stays; a leaf with half its life is taken again, an older one or other names make a new one", async () => {
  const now = Date.now();
  const make = (names: readonly string[], at: number) => servingCertificate(join(folder, "again"), names, at);
  const first = await make(NAMES, now);
  const again = await make(NAMES, now + HOUR);
  const older = await make(NAMES, now + 13 * HOUR);
  const renamed = await make(["127.0.0.1"], now + 13 * HOUR);
  expect(new Set([first, again, older, renamed].map(({ authority }) => authority)).size).toBe(1);
  expect([again, older, renamed].map(({ certificate }) => certificate === first.certificate)).toEqual([
    true,
    false,
    false,
  ]);
});

test("a certificate is renewed before half its life is over, and served from then on without a restart", async () => {
  let now = Date.now();
  const first = await servingCertificate(join(folder, "renew"), NAMES, now);
  const web = await startWeb("https", { pair: first });
  const renewed = new Promise<void>((resolve) => {
    const stop = keepRenewed(first, () => servingCertificate(join(folder, "renew"), NAMES, now), {
      now: () => now,
      renewed: (next) => {
        web.http.renew(next);
        stop();
        resolve();
      },
      failed: () => undefined,
      checkMs: 10,
    });
  });
  const before = await shake(web.port, { ca: first.authority });
  now += 12 * HOUR;
  await renewed;
  const after = await shake(web.port, { rejectUnauthorized: false });
  expect(after.getPeerCertificate().serialNumber).not.toBe(before.getPeerCertificate().serialNumber);
  before.destroy();
  after.destroy();
  await web.stop();
});

test("a renewal that fails is told, and tried again", async () => {
  const first = await servingCertificate(join(folder, "fail"), NAMES, Date.now());
  const faults: unknown[] = [];
  await new Promise<void>((resolve) => {
    const stop = keepRenewed(first, () => Promise.reject(new Error("disk")), {
      now: () => first.renewAt,
      renewed: () => undefined,
      failed: (fault) => {
        faults.push(fault);
        if (faults.length < 2) return;
        stop();
        resolve();
      },
      checkMs: 10,
    });
  });
  expect(faults).toHaveLength(2);
});

type Reply = { readonly status: number; readonly connection: string | undefined; readonly text: string };

function call(port: number, path: string, options: { agent: Agent; ca: string; body?: string }): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { body, ...rest } = options;
    const asked = request(
      {
        port,
        host: "127.0.0.1",
        path,
        method: body === undefined ? "GET" : "POST",
        ...rest,
        headers: { "Content-Type": "application/json" },
      },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, connection: response.headers.connection, text }),
        );
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

test("draining: not ready at once, still judging, connections closed, then nobody listens", async () => {
  const web = await startWeb("https");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const options = { agent, ca: web.authority };
  const body = JSON.stringify(review());
  const before = await call(web.port, "/mutate", { ...options, body });
  expect([before.status, before.connection]).toEqual([200, "keep-alive"]);
  const drained = web.http.drain(200, 1000);
  const ready = await call(web.port, "/readyz", options);
  const judged = await call(web.port, "/mutate", { ...options, body });
  expect([ready.status, ready.connection, judged.status, judged.connection]).toEqual([503, "close", 200, "close"]);
  expect(ready.text).toContain("[-] serving: draining");
  await drained;
  await expect(call(web.port, "/readyz", options)).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
  agent.destroy();
});

test("draining waits for a request in flight, and closes idle connections at once", async () => {
  const web = await startWeb("https");
  const idle = await shake(web.port, { ca: web.authority });
  idle.write("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
  await new Promise((resolve) => idle.once("data", resolve));
  const busy = await shake(web.port, { ca: web.authority });
  const body = JSON.stringify(review());
  busy.write(
    `POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  busy.write(body.slice(0, 100));
  await new Promise((resolve) => setTimeout(resolve, 50));
  const drained = web.http.drain(0, 5000);
  await new Promise((resolve) => idle.once("close", resolve));
  const answered = new Promise<string>((resolve) => busy.once("data", (chunk: Buffer) => resolve(chunk.toString())));
  busy.write(body.slice(100));
  expect(await answered).toMatch(/^HTTP\/1\.1 200 .*Connection: close/s);
  await drained;
});

test("a request that never ends does not hold up the end for longer than the grace", async () => {
  const web = await startWeb("https");
  const stuck = await shake(web.port, { ca: web.authority });
  stuck.write("POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{");
  await new Promise((resolve) => setTimeout(resolve, 50));
  const started = Date.now();
  await web.http.drain(0, 200);
  expect(Date.now() - started).toBeLessThan(1500);
});

test("a connection that is of age is closed after its answer, so that callers move to the new certificate", async () => {
  const web = await startWeb("https", { limits: { connectionAgeMs: 50 } });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const options = { agent, ca: web.authority, body: JSON.stringify(review()) };
  const young = await call(web.port, "/mutate", options);
  await new Promise((resolve) => setTimeout(resolve, 80));
  const old = await call(web.port, "/mutate", options);
  expect([young.connection, old.connection]).toEqual(["keep-alive", "close"]);
  agent.destroy();
  await web.stop();
});

test("idle connections are kept longer than Go's 90 seconds, and a whole request may take longer than a webhook's 30", async () => {
  const web = await startWeb("https");
  const { keepAliveTimeout, headersTimeout, requestTimeout } = web.http.app.server;
  expect(keepAliveTimeout).toBe(120_000);
  expect(headersTimeout).toBeGreaterThan(keepAliveTimeout);
  expect(requestTimeout).toBeGreaterThanOrEqual(31_000);
  await web.stop();
});

test("/livez answers always, /readyz names what is missing", async () => {
  const services = fakeServices();
  const web = await startWeb("http", {}, services);
  const ready = await web.request.get("/readyz");
  services.current = undefined;
  const waiting = await web.request.get("/readyz");
  const alive = await web.request.get("/livez");
  expect([ready.status, ready.text]).toEqual([200, "[+] catalogue\n[+] serving\nready\n"]);
  expect([waiting.status, waiting.text]).toEqual([503, "[-] catalogue\n[+] serving\nnot ready\n"]);
  expect([alive.status, alive.text]).toEqual([200, "ok\n"]);
  await web.stop();
});

test("a path that nobody knows is a problem with a code", async () => {
  const web = await startWeb("http");
  const reply = await web.request.get("/nothing/here?token=s3cret");
  expect([reply.status, reply.type, reply.text.includes("s3cret")]).toEqual([404, "application/problem+json", false]);
  await web.stop();
});
