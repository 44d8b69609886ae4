import { afterEach, beforeEach, expect, test } from "vitest";
import { askMap } from "../../src/kube/ask-map.ts";
import { type KubeClient, makeKubeClient } from "../../src/kube/client.ts";
import { type Connection, makeConnection } from "../../src/kube/connection.ts";
import { CONFIG_MAPS } from "../../src/kube/resources.ts";
import { type FakeApiServer, startFakeApiServer } from "../fakes/api-server.ts";
import { makeFakeClock } from "../fakes/clock.ts";

const NAME = { namespace: "signet-system", name: "asks" };

let server: FakeApiServer;
let connection: Connection;
let client: KubeClient;

beforeEach(async () => {
  const clock = makeFakeClock();
  server = await startFakeApiServer({ clock, resources: [CONFIG_MAPS] });
  connection = makeConnection(server.access, { clock });
  client = makeKubeClient(connection);
  await client.create(CONFIG_MAPS, { metadata: NAME, data: { "ask.json": "one" } });
});

afterEach(async () => {
  connection.close();
  await server.close();
});

/** What stands in the ConfigMap. */
const data = () => server.store.get({ resource: CONFIG_MAPS, ...NAME })["data"];
const put = (more: object) => client.patch(CONFIG_MAPS, NAME, { type: "merge", body: { data: more } });

test("an ask is taken, and goes with its answer", async () => {
  const asks = askMap(client, NAME);
  expect(await asks.take()).toBe("one");
  await asks.answer("one", "done");
  expect([data(), await asks.take()]).toEqual([{ "answer.json": "done" }, undefined]);
});

test("an ask that came while an older one was looked at is not lost with the answer to that", async () => {
  const asks = askMap(client, NAME);
  await asks.take();
  await put({ "ask.json": "two" });
  await asks.answer("one", "done");
  expect([data(), await asks.take()]).toEqual([{ "ask.json": "two", "answer.json": "done" }, "two"]);
});

test("an ask that was taken back is answered all the same", async () => {
  const asks = askMap(client, NAME);
  await asks.take();
  await put({ "ask.json": null });
  await asks.answer("one", "done");
  expect(data()).toEqual({ "answer.json": "done" });
});

test("without its ConfigMap nothing is asked", async () => {
  await client.delete(CONFIG_MAPS, NAME);
  expect(await askMap(client, NAME).take()).toBeUndefined();
});
