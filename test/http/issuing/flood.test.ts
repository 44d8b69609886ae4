import { expect, test } from "vitest";
import { Buckets } from "../../../src/http/issuing/buckets.ts";
import { KnownGood } from "../../../src/http/issuing/known-good.ts";
import { newCsr, openDoor, podOf } from "./door.ts";

test("a bucket fills with time, never beyond its burst, and a clock that stands gives nothing", () => {
  const buckets = new Buckets({ burst: 2, perSecond: 1 });
  const takes = [0, 0, 0, 500, 1000, 60_000, 60_000, 60_000].map((now) => buckets.take("a", now));
  expect(takes).toEqual([0, 0, 1000, 500, 0, 0, 0, 1000]);
  expect([buckets.take("b", 0), buckets.look("a", 60_000), buckets.look("c", 0)]).toEqual([0, 1000, 0]);
});

const tokens = (world: { readonly tokens: Map<string, ReturnType<typeof podOf>> }) => {
  for (const name of ["one", "two", "three"]) world.tokens.set(name, podOf("web", "cart"));
  world.tokens.set("other", podOf("pay", "orders-db"));
};

test("a credential that floods is turned away before anybody is asked, while another is served", async () => {
  const door = await openDoor({ credential: { burst: 3, perSecond: 1 } });
  tokens(door.world);
  const body = { csr: newCsr() };
  const flood = await Promise.all(Array.from({ length: 40 }, () => door.ask("/v1/svids", { token: "one", body })));
  const other = await door.ask("/v1/svids", { token: "other", body });
  expect([flood.filter(({ status }) => status === 200).length, other.status]).toEqual([3, 200]);
  const turned = flood.find(({ status }) => status !== 200);
  expect(turned).toMatchObject({ status: 429, body: { code: "RATE_LIMITED" } });
  expect([turned?.headers["retry-after"], door.world.asked]).toEqual(["1", 4]);
  await door.stop();
});

test("an identity has one share, however many tokens it has", async () => {
  const door = await openDoor({ identity: { burst: 2, perSecond: 1 } });
  tokens(door.world);
  const statuses: number[] = [];
  for (const token of ["one", "two", "three", "other"])
    statuses.push((await door.ask("/v1/svids", { token, body: { csr: newCsr() } })).status);
  expect(statuses).toEqual([200, 200, 429, 200]);
  door.world.monotonic += 1000;
  expect((await door.ask("/v1/svids", { token: "one", body: { csr: newCsr() } })).status).toBe(200);
  await door.stop();
});

test("an address that shows wrong tokens without end costs the API server nothing more", async () => {
  const door = await openDoor({ failures: { burst: 5, perSecond: 1 } });
  const statuses: number[] = [];
  for (let index = 0; index < 12; index += 1)
    statuses.push((await door.ask("/v1/svids", { token: `guess-${index}`, body: { csr: newCsr() } })).status);
  expect([statuses.filter((status) => status === 401).length, statuses.at(-1), door.world.asked]).toEqual([5, 429, 5]);
  await door.stop();
});

test("strangers behind one address lock out nobody whom it knows, until that credential is refused itself", async () => {
  const door = await openDoor({ failures: { burst: 2, perSecond: 1 } });
  tokens(door.world);
  const body = { csr: newCsr() };
  const statuses: number[] = [];
  for (const token of ["one", "guess-1", "guess-2", "guess-3", "two", "one"])
    statuses.push((await door.ask("/v1/svids", { token, body })).status);
  door.world.tokens.delete("one");
  for (const token of ["one", "one"]) statuses.push((await door.ask("/v1/svids", { token, body })).status);
  expect(statuses).toEqual([200, 401, 401, 429, 429, 200, 401, 429]);
  await door.stop();
});

test("an address whose callers cannot be looked up is turned away like one of wrong tokens", async () => {
  const door = await openDoor({ failures: { burst: 2, perSecond: 1 } });
  door.world.failing = true;
  const statuses: number[] = [];
  for (const token of ["a", "b", "c"])
    statuses.push((await door.ask("/v1/svids", { token, body: { csr: newCsr() } })).status);
  expect([statuses, door.world.asked]).toEqual([[500, 500, 429], 2]);
  await door.stop();
});

test("of more credentials than are remembered, the one shown longest ago is forgotten", () => {
  const good = new KnownGood(2);
  for (const key of ["a", "b", "a", "c"]) good.add(key);
  expect(["a", "b", "c"].map((key) => good.has(key))).toEqual([true, false, true]);
});
