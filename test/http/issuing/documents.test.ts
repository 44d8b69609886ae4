import { hash } from "node:crypto";
import { get, request } from "node:https";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { openDoor } from "./door.ts";

let door: Awaited<ReturnType<typeof openDoor>>;
const LISTS = { pem: "-----BEGIN X509 CRL-----\n", tag: "aa" };

beforeAll(async () => {
  door = await openDoor({ subscribers: 3 });
});
afterAll(() => door.stop());
beforeEach(() => {
  door.world.lists = LISTS;
});

type Got = { readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly text: string };
const read = (headers: Readonly<Record<string, string>> = {}): Promise<Got> =>
  new Promise((resolve, reject) => {
    get(
      { host: "127.0.0.1", port: door.port, path: "/v1/crl", rejectUnauthorized: false, agent: false, headers },
      (answer) => {
        let text = "";
        answer.on("data", (chunk: Buffer) => void (text += chunk.toString()));
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      },
    ).on("error", reject);
  });

test("the revocation lists may be kept for a minute, and who has them gets them no second time", async () => {
  const { status, headers, text } = await read();
  expect([status, text, headers["content-type"], headers["cache-control"], headers["etag"]]).toEqual([
    200,
    LISTS.pem,
    "application/x-pem-file",
    "public, max-age=60",
    '"aa"',
  ]);
  const again = await read({ "If-None-Match": '"aa"' });
  expect([again.status, again.text, (await read({ "If-None-Match": '"ab"' })).status]).toEqual([304, "", 200]);
});

test("before there is a list, whoever asks is told to come again", async () => {
  door.world.lists = undefined;
  const { status, headers } = await read();
  expect([status, headers["retry-after"]]).toEqual([503, "1"]);
});

/** A subscriber, and what it has heard. */
function subscribe(localAddress = "127.0.0.1") {
  const heard = { text: "", status: 0, closed: false };
  const asked = request({
    host: "127.0.0.1",
    port: door.port,
    path: "/v1/watch",
    localAddress,
    rejectUnauthorized: false,
    agent: false,
  });
  asked.on("response", (answer) => {
    heard.status = answer.statusCode ?? 0;
    answer.on("data", (chunk: Buffer) => void (heard.text += chunk.toString()));
    answer.on("close", () => (heard.closed = true));
    answer.on("error", () => undefined);
  });
  asked.on("error", () => (heard.closed = true));
  asked.end();
  return { heard, end: () => asked.destroy() };
}

const EVENT = (event: string, path: string, tag: string) =>
  `event: ${event}\nid: ${tag}\ndata: {"path":"${path}","tag":"${tag}"}\n\n`;

test("a subscriber hears how things stand, and then of each change and of nothing else", async () => {
  const { heard, end } = subscribe();
  const bundle = EVENT("bundle", "/v1/bundle", hash("sha256", '{"keys":[]}\n').slice(0, 32));
  await vi.waitFor(() => expect(heard.text).toContain("crl"), { timeout: 20_000 });
  expect(heard).toMatchObject({ status: 200, text: `retry: 5000\n\n${bundle}${EVENT("crl", "/v1/crl", "aa")}` });
  heard.text = "";
  door.world.lists = { ...LISTS, tag: "ab" };
  await vi.waitFor(() => expect(heard.text).toBe(EVENT("crl", "/v1/crl", "ab")), { timeout: 20_000 });
  end();
});

test("there is a place for so many subscribers; one that leaves makes room", { timeout: 30_000 }, async () => {
  const all = Array.from({ length: 3 }, () => subscribe());
  await vi.waitFor(() => expect(all.every(({ heard }) => heard.text !== "")).toBe(true), { timeout: 20_000 });
  const late = subscribe();
  await vi.waitFor(() => expect(late.heard.status).toBe(503), { timeout: 20_000 });
  expect(late.heard.text).toContain("There is no place for another subscriber.");
  all[0]?.end();
  await vi.waitFor(
    async () => {
      const next = subscribe();
      await vi.waitFor(() => expect(next.heard.status).not.toBe(0));
      next.end();
      expect(next.heard.status).toBe(200);
    },
    { timeout: 20_000 },
  );
  for (const { end } of all) end();
});

test("one address takes only some of the places", { timeout: 30_000 }, async () => {
  const own = await openDoor({ subscribersOfOne: 2 });
  const before = door;
  door = own;
  const all = [subscribe(), subscribe()];
  await vi.waitFor(() => expect(all.every(({ heard }) => heard.text !== "")).toBe(true), { timeout: 20_000 });
  const [same, other] = [subscribe(), subscribe("127.0.0.2")];
  await vi.waitFor(() => expect([same.heard.status, other.heard.status]).toEqual([429, 200]), { timeout: 20_000 });
  expect(same.heard.text).toContain("There is no place for another subscriber of this address.");
  await own.stop();
  door = before;
});

test("what stands is found out once for all subscribers", { timeout: 30_000 }, async () => {
  let asked = 0;
  Object.defineProperty(door.world, "lists", { configurable: true, get: () => ({ ...LISTS, tag: `t${++asked}` }) });
  const both = [subscribe(), subscribe()];
  const tags = (at: number) => [...(both[at]?.heard.text ?? "").matchAll(/id: (t\d+)/g)].map(([, tag]) => tag);
  await vi.waitFor(() => expect([0, 1].every((at) => tags(at).length > 2)).toBe(true), { timeout: 20_000 });
  Object.defineProperty(door.world, "lists", { configurable: true, writable: true, value: LISTS });
  for (const { end } of both) end();
  const heardByBoth = tags(0).filter((tag) => tags(1).includes(tag));
  expect(heardByBoth.length).toBeGreaterThan(1);
});

test("a server that drains sends its subscribers away", { timeout: 30_000 }, async () => {
  const own = await openDoor();
  const before = door;
  door = own;
  const { heard } = subscribe();
  await vi.waitFor(() => expect(heard.status).toBe(200), { timeout: 20_000 });
  await own.stop();
  door = before;
  await vi.waitFor(() => expect(heard.closed).toBe(true), { timeout: 20_000 });
});
