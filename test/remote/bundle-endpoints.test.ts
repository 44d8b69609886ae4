import { type IncomingMessage, type ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { lookAt } from "../../src/bin/cluster/federation/look.ts";
import { issue } from "../../src/ca/issue.ts";
import { certificatesPem } from "../../src/ca/pem.ts";
import { authorityCertificateFile, servingCertificate } from "../../src/ca/serving.ts";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { X509Certificate } from "node:crypto";
import type { HeldBundle } from "../../src/reconcile/federation/standing.ts";
import { fetchBundle } from "../../src/remote/fetch-bundle.ts";
import { type PublicJwk, renderTrustBundle } from "../../src/wire/trust-bundle.ts";
import { csrOf, leafKey, podRequest, PROFILES, testAuthority, walkParts } from "../fakes/ca.ts";
import { must } from "../fakes/judging.ts";

type Authority = Awaited<ReturnType<typeof testAuthority>>;
type Pair = { readonly key: string; readonly cert: string };
type Answering = (request: IncomingMessage, response: ServerResponse, port: number) => void;

const ID = "spiffe://example.org/ns/web/sa/cart";
const never = new AbortController().signal;
const servers: Server[] = [];
const roots = getCACertificates("default");
let folder: string;
let web: Pair;
let old: Authority;
let next: Authority;
let thief: Authority;
let spiffe: Pair;

/** Sockets judge dates by the machine's clock. */
const authority = (trustDomain = "example.org"): Promise<Authority> => testAuthority(PROFILES, trustDomain, Date.now());

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "signet-endpoints-"));
  const serving = await servingCertificate(folder, ["localhost", "127.0.0.1"], Date.now());
  web = { key: serving.key, cert: serving.certificate };
  [old, next, thief] = await Promise.all([authority(), authority(), authority()]);
  spiffe = await svidOf(old);
  setDefaultCACertificates([...roots, readFileSync(authorityCertificateFile(folder), "utf8")]);
});
afterAll(() => {
  setDefaultCACertificates(roots);
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function svidOf({ issuer }: Authority, account = "cart"): Promise<Pair> {
  const key = leafKey();
  const { parts } = walkParts(issuer, { now: () => Date.now() });
  const namespace = account === "cart" ? "web" : "pay";
  const { chain } = must(await issue(podRequest(csrOf(key), namespace, account), parts));
  return { key: key.export({ type: "pkcs8", format: "pem" }).toString(), cert: certificatesPem(chain) };
}

/** A server over TLS on loopback; gives its port. */
function serve(pair: Pair, answering: Answering): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer(pair, (request, response) =>
      answering(request, response, (server.address() as AddressInfo).port),
    );
    servers.push(server);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

function bundleOf(authorities: readonly Authority[], sequence = 1): string {
  const x509 = authorities.map(({ root: { der } }) => ({
    key: new X509Certificate(der).publicKey.export({ format: "jwk" }) as PublicJwk,
    certificate: der.toString("base64"),
  }));
  return renderTrustBundle({ x509, jwt: [], sequence, refreshHint: 60 });
}

const says =
  (text: string): Answering =>
  (_, response) =>
    void response.end(text);
const goes =
  (location: (port: number) => string, status = 302): Answering =>
  (request, response, port) => {
    if (request.url === "/moved") response.end(bundleOf([old]));
    else response.writeHead(status, { Location: location(port) }).end();
  };

const domain = (port: number, endpoint: object, path = "/v1/bundle") => ({
  name: "partner",
  uid: "u",
  domain: "example.org",
  generation: 1,
  endpoint: { url: `https://localhost:${port}${path}`, profile: "https_web", ...endpoint } as never,
});
const bySpiffe = (bootstrap: string, spiffeId = ID) => ({ profile: "https_spiffe", spiffeId, bootstrap });

/** What a look came to: the number of authorities, or why none came. Ports differ, and so stand as PORT. */
async function look(port: number, endpoint: object = {}, held?: HeldBundle): Promise<string> {
  const found = await lookAt(domain(port, endpoint), held, never);
  if (found.got === "bundle") return `${found.roots.length} of sequence ${found.sequence}`;
  return `${found.failure.reason}: ${found.failure.message}`.replaceAll(String(port), "PORT");
}

const holding = ({ root }: Authority, generation = 1): HeldBundle => ({
  roots: [{ pem: certificatesPem([root.der]), fingerprint: "", notAfter: root.window.notAfter }],
  refreshSeconds: 300,
  generation,
  fetchedAt: 0,
});

test("https_web: the authorities of the web vouch for the host, and nothing says who asks", async () => {
  let asked: IncomingMessage | undefined;
  const port = await serve(web, (request, response) => {
    asked = request;
    response.end(bundleOf([old, next]));
  });
  expect(await look(port)).toBe("2 of sequence 1");
  expect([asked?.method, asked?.url]).toEqual(["GET", "/v1/bundle"]);
  expect(Object.keys(asked?.headers ?? {}).sort()).toEqual(["accept", "connection", "host"]);
});

test("https_web: a server that no authority of the web vouches for is not believed", async () => {
  expect(await look(await serve(spiffe, says(bundleOf([old]))))).toMatch(
    /^Unavailable: localhost:PORT gave no bundle: (unable to verify|self-signed|unable to get)/,
  );
});

test("https_spiffe: the bootstrap bundle first, then the newest bundle held", async () => {
  const port = await serve(spiffe, says(bundleOf([old, next], 2)));
  expect(await look(port, bySpiffe(bundleOf([old])))).toBe("2 of sequence 2");
  expect(await look(port, bySpiffe(bundleOf([next])))).toMatch(/^Unavailable: /);
  expect(await look(port, bySpiffe(bundleOf([next])), holding(old))).toBe("2 of sequence 2");
  expect(await look(port, bySpiffe(bundleOf([old])), holding(next))).toMatch(/^Unavailable: /);
});

test("https_spiffe: who approves another generation says anew whom to believe", async () => {
  const port = await serve(spiffe, says(bundleOf([old])));
  expect(await look(port, bySpiffe(bundleOf([old])), holding(next, 0))).toBe("1 of sequence 1");
  expect(await look(port, bySpiffe(bundleOf([next])), holding(old, 0))).toMatch(/^Unavailable: /);
});

test("https_spiffe: another identity of the domain, and one that a thief made, are not believed", async () => {
  const other = await serve(await svidOf(old, "orders-db"), says(bundleOf([old])));
  expect(await look(other, bySpiffe(bundleOf([old])))).toBe(
    `Unavailable: localhost:PORT gave no bundle: it shows spiffe://example.org/ns/pay/sa/orders-db and not ${ID}.`,
  );
  const forged = await serve(await svidOf(thief), says(bundleOf([thief])));
  expect(await look(forged, bySpiffe(bundleOf([old])))).toMatch(/^Unavailable: /);
  expect(await look(await serve(web, says(bundleOf([old]))), bySpiffe(bundleOf([old])))).toMatch(/^Unavailable: /);
});

test("https_spiffe: a bootstrap bundle that cannot be read asks nobody", async () => {
  expect(await look(1, bySpiffe("{}"))).toBe("BootstrapRefused: keys: The bundle has no list of keys.");
  expect(await look(1, bySpiffe(bundleOf([await authority("other.org")])))).toBe(
    "BootstrapRefused: The certificate is not one of an authority of this trust domain: it names another trust domain.",
  );
});

test.each([
  ["a path", () => "/moved", "1 of sequence 1"],
  ["the whole URL", (port: number) => `https://localhost:${port}/moved`, "1 of sequence 1"],
  [
    "plain HTTP",
    (port: number) => `http://localhost:${port}/moved`,
    "Unavailable: localhost:PORT gave no bundle: it redirects to what is no https URL without user info.",
  ],
  [
    "user info",
    (port: number) => `https://me:secret@localhost:${port}/moved`,
    "Unavailable: localhost:PORT gave no bundle: it redirects to what is no https URL without user info.",
  ],
  [
    "no URL",
    () => "https://",
    "Unavailable: localhost:PORT gave no bundle: it redirects to what is no https URL without user info.",
  ],
  ["itself", () => "/v1/bundle", "Unavailable: localhost:PORT gave no bundle: it redirects more than 3 times."],
  [
    "a host that its certificate does not name",
    (port: number) => `https://localhost.localdomain:${port}/moved`,
    expect.stringMatching(/^Unavailable: /),
  ],
])("F4: a redirect to %s is judged as the first URL was", async (_, location, told) => {
  expect(await look(await serve(web, goes(location)))).toEqual(told);
});

test("F4: a redirect of https_spiffe leads to the same identity, or nowhere", async () => {
  const same = await serve(spiffe, says(bundleOf([old])));
  const other = await serve(await svidOf(old, "orders-db"), says(bundleOf([old])));
  const first = (to: number) =>
    serve(
      spiffe,
      goes(() => `https://127.0.0.1:${to}/`, 307),
    );
  expect(await look(await first(same), bySpiffe(bundleOf([old])))).toBe("1 of sequence 1");
  expect(await look(await first(other), bySpiffe(bundleOf([old])))).toContain("it shows spiffe://example.org/ns/pay");
});

test.each([
  [
    "another status",
    (_: unknown, response: ServerResponse) => response.writeHead(503).end("secret words"),
    "it answered 503",
  ],
  ["a redirect to nowhere", (_: unknown, response: ServerResponse) => response.writeHead(302).end(), "it answered 302"],
  [
    "bytes that are no UTF-8",
    (_: unknown, response: ServerResponse) => response.end(Buffer.from([0xff])),
    "its answer is not UTF-8",
  ],
  [
    "more than a bundle may be",
    (_: unknown, response: ServerResponse) => response.end(Buffer.alloc(513 * 1024, 32)),
    "its answer is too large",
  ],
  [
    "half an answer",
    (_: unknown, response: ServerResponse) =>
      response.writeHead(200, { "Content-Length": 9 }).write("1", () => response.destroy()),
    "aborted",
  ],
])("what answers with %s gave no bundle, and nothing of what it sent is told", async (_, answering, why) => {
  expect(await look(await serve(web, answering as Answering))).toBe(
    `Unavailable: localhost:PORT gave no bundle: ${why}.`,
  );
});

test("an answer that never ends is given up in time", async () => {
  const port = await serve(web, (_, response) => {
    const timer = setInterval(() => response.write(" "), 5);
    response.on("close", () => clearInterval(timer));
  });
  const told = await fetchBundle({ url: `https://localhost:${port}/`, timeoutMs: 200, signal: never });
  expect(told).toMatchObject({ problems: [{ message: `localhost:${port} gave no bundle: it took too long.` }] });
});

test("an answer that would speak another protocol is none", async () => {
  const server = createServer(web);
  servers.push(server);
  server.on("upgrade", (_, socket) => socket.destroy());
  server.on("request", (_, response) => {
    response.socket?.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
  expect(await look(port)).toBe("Unavailable: localhost:PORT gave no bundle: it would speak another protocol.");
});

test("https_spiffe: a bundle without authorities, held or given, makes nobody believed, not even by the web", async () => {
  const port = await serve(spiffe, says(bundleOf([old])));
  setDefaultCACertificates([...getCACertificates("default"), certificatesPem([old.root.der])]);
  expect(await look(port, bySpiffe(bundleOf([])))).toBe(
    "BootstrapRefused: The bootstrap bundle has no authority that the endpoint could be known by.",
  );
  expect(await look(port, bySpiffe(bundleOf([old])), { ...holding(old), roots: [] })).toBe(
    "BootstrapRefused: The bundle that is held has no authority that the endpoint could be known by.",
  );
});

test("what is no bundle of that domain is refused", async () => {
  expect(await look(await serve(web, says("<html>")))).toBe("Refused: The bundle is not JSON.");
  const stranger = await authority("other.org");
  expect(await look(await serve(web, says(bundleOf([old, stranger]))))).toBe(
    "Refused: The certificate is not one of an authority of this trust domain: it names another trust domain.",
  );
});
