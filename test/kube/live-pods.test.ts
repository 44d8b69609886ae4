import { afterEach, beforeEach, expect, test } from "vitest";
import { type Connection, makeConnection } from "../../src/kube/connection.ts";
import { LivePods } from "../../src/kube/live-pods.ts";
import { PODS } from "../../src/kube/resources.ts";
import { type FakeApiServer, startFakeApiServer } from "../fakes/api-server.ts";
import { makeFakeClock } from "../fakes/clock.ts";
import { quietLog } from "../fakes/quiet-log.ts";

const clock = makeFakeClock();
let server: FakeApiServer;
let connection: Connection;
let pods: LivePods;
let rung = 0;

beforeEach(async () => {
  server = await startFakeApiServer({ clock, resources: [PODS], streamingList: true });
  connection = makeConnection(server.access, { clock });
  const onChange = () => void (rung += 1);
  pods = new LivePods({ connection, clock, random: Math.random, log: quietLog, onChange });
});

afterEach(async () => {
  connection.close();
  await pods.stop();
  await server.close();
});

const podOf = (name: string) => ({
  metadata: { name },
  spec: { serviceAccountName: "front", containers: [{ name: "main", image: "example.org/none" }] },
});

test("Pods are followed without what no verdict reads, and each change is told once", async () => {
  server.store.create(PODS, "web", podOf("a"));
  pods.start();
  await expect.poll(() => pods.status().synced).toBe(true);
  expect([...pods.objects.values()].map(({ spec }) => spec)).toEqual([{ serviceAccountName: "front" }]);
  const [uid] = pods.objects.keys();
  expect([...pods.takeChanged()]).toEqual([uid]);
  expect([...pods.takeChanged()]).toEqual([]);
  const before = rung;
  server.store.remove({ resource: PODS, namespace: "web", name: "a" });
  await expect.poll(() => pods.objects.size).toBe(0);
  expect([...pods.takeChanged()]).toEqual([uid]);
  expect(rung).toBe(before + 1);
});
