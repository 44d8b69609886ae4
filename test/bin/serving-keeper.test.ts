import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepCertificate } from "../../src/bin/cluster/serving-keeper.ts";
import { foundServing, makeServingStore, type ServingStore } from "../../src/bin/cluster/serving-store.ts";
import { makeAuthority, signLeaf } from "../../src/ca/serving-certificates.ts";
import { makeKubeClient } from "../../src/kube/client.ts";
import { type Connection, makeConnection } from "../../src/kube/connection.ts";
import { SECRETS } from "../../src/kube/resources.ts";
import { type FakeApiServer, startFakeApiServer } from "../fakes/api-server.ts";
import { makeFakeClock } from "../fakes/clock.ts";

const HOUR_MS = 3_600_000;
const NOW = Date.parse("2026-11-23T12:00:00Z");
const SECRET = { resource: SECRETS, namespace: "signet-system", name: "signet-serving" };
const clock = makeFakeClock(NOW);

let server: FakeApiServer;
let connections: Connection[];

beforeEach(async () => {
  connections = [];
  server = await startFakeApiServer({ clock, resources: [SECRETS] });
});
afterEach(async () => {
  for (const connection of connections) connection.close();
  await server.close();
});

/** A replica's own way to the Secret. */
function store(): ServingStore {
  const connection = makeConnection(server.access, { clock });
  connections.push(connection);
  return makeServingStore(makeKubeClient(connection));
}

const means = (from: ServingStore) => ({
  store: from,
  names: ["localhost"],
  leafMs: HOUR_MS,
  authorityMs: 100 * HOUR_MS,
  now: () => NOW,
});

test("a Secret that is gone comes back as it was, by the replica that writes; others keep what they have", async () => {
  const writer = store();
  const other = means(store());
  const made = await foundServing(writer, 100 * HOUR_MS, () => NOW);
  const held = await keepCertificate(other, undefined);
  server.store.remove(SECRET);
  expect(await keepCertificate(other, held)).toBe(held);
  expect(await foundServing(writer, 100 * HOUR_MS, () => NOW)).toEqual(made);
  expect(await keepCertificate(other, held)).toBe(held);
});

test("of two replicas that find no Secret one makes the authority, and both use it", async () => {
  const found = await Promise.all([store(), store()].map((each) => foundServing(each, 100 * HOUR_MS, () => NOW)));
  expect(found[0]).toEqual(found[1]);
});

test("a certificate that somebody else keeps is followed, and the Secret never asked for", async () => {
  const folder = mkdtempSync(join(tmpdir(), "signet-keeper-"));
  const fill = async (): Promise<string> => {
    const authority = await makeAuthority(NOW);
    const leaf = await signLeaf(authority, ["localhost"], { notBefore: NOW, notAfter: NOW + HOUR_MS });
    writeFileSync(join(folder, "tls.crt"), leaf.certificate);
    writeFileSync(join(folder, "tls.key"), leaf.key);
    writeFileSync(join(folder, "ca.crt"), authority.certificate);
    return leaf.certificate;
  };
  try {
    const mine = { ...means(store()), certificateFolder: folder };
    const first = await fill();
    const held = await keepCertificate(mine, undefined);
    const second = await fill();
    const next = await keepCertificate(mine, held);
    expect([held.certificate, next.certificate]).toEqual([first, second]);
    expect(server.seen).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
