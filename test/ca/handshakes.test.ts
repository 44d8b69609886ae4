import { type AddressInfo, type Server } from "node:net";
import { connect, createServer, type TLSSocket } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { bundlePem } from "../../src/ca/bundle.ts";
import { issue } from "../../src/ca/issue.ts";
import { certificatesPem } from "../../src/ca/pem.ts";
import { csrOf, leafKey, podRequest, walkParts } from "../fakes/ca.ts";
import { must } from "../fakes/judging.ts";
import { handClock, keeperOver, memoryVault, pass, workAll } from "../fakes/vault.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
type Keeper = ReturnType<typeof keeperOver>;
type Pair = { readonly key: string; readonly cert: string };
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function fetchPair(keeper: Keeper, clock: ReturnType<typeof handClock>, account: string): Promise<Pair> {
  const key = leafKey();
  const namespace = account === "cart" ? "web" : "pay";
  const { parts } = walkParts(keeper.current().issuer, { now: () => clock.wall });
  const { chain } = must(await issue(podRequest(csrOf(key), namespace, account), parts));
  return { key: key.export({ type: "pkcs8", format: "pem" }).toString(), cert: certificatesPem(chain) };
}

/** One mTLS handshake over loopback: each end by its own bundle. Gives what the server's end read of the caller. */
function handshake(server: Pair & { ca: string }, client: Pair & { ca: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const listener = createServer({ ...server, requestCert: true, rejectUnauthorized: true }, (socket: TLSSocket) => {
      socket.end(socket.getPeerCertificate().subjectaltname ?? "");
    });
    servers.push(listener);
    listener.on("tlsClientError", reject);
    listener.listen(0, "127.0.0.1", () => {
      const { port } = listener.address() as AddressInfo;
      let read = "";
      const socket = connect({ ...client, port, host: "127.0.0.1", checkServerIdentity: () => undefined });
      socket.on("data", (text) => (read += String(text)));
      socket.on("error", reject);
      socket.on("end", () => listener.close(() => resolve(read)));
    });
  });
}

test("two workloads connect with each other before, during and after a rotation, and no handshake fails", async () => {
  // Real sockets judge dates by the machine's clock, so the fake one begins there; certificates are fetched anew each hour.
  const clock = { ...handClock(), wall: Date.now() };
  const keeper = keeperOver(memoryVault(), clock);
  await workAll(keeper);
  const bundle = () => bundlePem(keeper.current().bundle);
  const pairs = async () => ({
    cart: await fetchPair(keeper, clock, "cart"),
    db: await fetchPair(keeper, clock, "orders-db"),
  });
  let held = await pairs();
  let late = bundle();
  const seen: string[] = [];
  const meet = async (): Promise<void> => {
    const now = bundle();
    const fresh = await pairs();
    // Old and new certificates, late and current bundles, in every combination that a running system has.
    seen.push(await handshake({ ...held.db, ca: late }, { ...fresh.cart, ca: now }));
    seen.push(await handshake({ ...fresh.db, ca: now }, { ...held.cart, ca: late }));
    held = fresh;
    late = now;
  };
  await meet();
  await keeper.step({ step: "request" });
  const steps: string[] = [];
  for (let turn = 0; turn < 6; turn++) {
    steps.push(...(await workAll(keeper)));
    await meet();
    clock.monotonic += 5 * MINUTE;
  }
  expect(steps).toEqual(["make", "publish", "confirm", "activate"]);
  expect(new Set(seen)).toEqual(new Set(["DNS:cart.web.svc, URI:spiffe://example.org/ns/web/sa/cart"]));
  expect(seen.length).toBe(14);
});

test("the test would notice: a bundle without the new root fails the handshake", async () => {
  const clock = { ...handClock(), wall: Date.now() };
  const keeper = keeperOver(memoryVault(), clock);
  await workAll(keeper);
  const old = bundlePem(keeper.current().bundle);
  const db = await fetchPair(keeper, clock, "orders-db");
  await keeper.step({ step: "request" });
  await workAll(keeper);
  pass(clock, 15 * MINUTE);
  await workAll(keeper);
  clock.wall -= 15 * MINUTE;
  const cart = await fetchPair(keeper, clock, "cart");
  await expect(handshake({ ...db, ca: old }, { ...cart, ca: old })).rejects.toThrow(Error);
});

test("the root of a leaf that was signed just before its authority was tainted stays for the leaf's whole life", async () => {
  const clock = handClock();
  const keeper = keeperOver(memoryVault(), clock);
  await workAll(keeper);
  await keeper.step({ step: "request" });
  await workAll(keeper);
  pass(clock, 15 * MINUTE);
  await workAll(keeper);
  pass(clock, 24 * HOUR);
  await workAll(keeper);
  expect(keeper.current().bundle.roots.length).toBe(2);
});
