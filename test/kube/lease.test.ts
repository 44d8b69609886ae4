import * as fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { ok, refuse, type Result } from "../../src/domain/problem.ts";
import type { Clock } from "../../src/kube/clock.ts";
import { makeConnection } from "../../src/kube/connection.ts";
import { DEFAULT_LEASE_TIMES, Elector, type LeaseTimes, type Term } from "../../src/kube/lease.ts";
import { type LeaseEntry, type LeaseRecord, type LeaseStore, makeLeaseStore } from "../../src/kube/lease-record.ts";
import { type FakeApiServer, startFakeApiServer } from "../fakes/api-server.ts";
import { type FakeClock, makeFakeClock } from "../fakes/clock.ts";
import { quietLog } from "../fakes/quiet-log.ts";

const LEASES = { group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease", namespaced: true };
const NAME = { namespace: "signet-system", name: "signet-writer" };

/** A Lease in memory, with the rule that a change names the version that it was made from. */
function memoryLease(first?: LeaseRecord) {
  let record: LeaseRecord | undefined = first;
  let version = 1;
  const keep = ({ holder, transitions, durationMs }: LeaseEntry): Result<LeaseRecord> => {
    record = { version: String(++version), holder, transitions, durationMs };
    return ok(record);
  };
  return {
    read: (): Result<LeaseRecord> => (record ? ok(record) : refuse("NOT_FOUND", "", "none")),
    create: (entry: LeaseEntry) => (record ? refuse("API_CONFLICT", "", "exists") : keep(entry)),
    replace: (from: string, entry: LeaseEntry) =>
      record?.version === from ? keep(entry) : refuse("API_CONFLICT", "", "changed"),
    vanish: () => {
      record = undefined;
    },
    now: () => record,
  };
}

const FREE: LeaseRecord = { version: "1", holder: "", transitions: 0, durationMs: 1_000 };

/** How the network treats one contender: requests lost, and the way there and back taking their time. */
type Network = { down: boolean; thereMs: number; backMs: number };

type Lease = ReturnType<typeof memoryLease>;

function overNetwork(lease: Lease, network: Network, clock: Clock): LeaseStore {
  const travel = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  const over = async <T>(act: () => T): Promise<T> => {
    const { thereMs, backMs } = network;
    await travel(thereMs);
    if (network.down) throw new Error("the network is down");
    const result = act();
    await travel(backMs);
    if (network.down) throw new Error("the answer was lost");
    return result;
  };
  return {
    read: () => over(lease.read),
    create: (entry) => over(() => lease.create(entry)),
    replace: (version, entry) => over(() => lease.replace(version, entry)),
  };
}

/** A machine's own clock: it runs at its own rate and shows its own time. */
const skewed = (clock: Clock, rate: number, offsetMs: number): Clock => ({
  monotonic: () => clock.monotonic() * rate + Math.abs(offsetMs),
  wall: () => clock.wall() * rate + offsetMs,
  after: (ms, run) => clock.after(ms / rate, run),
});

function contender(store: LeaseStore, identity: string, clock: Clock, times: LeaseTimes = DEFAULT_LEASE_TIMES) {
  const terms: Term[] = [];
  let seed = identity.length;
  const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
  const onTerm = (term: Term): void => void terms.push(term);
  const elector = new Elector({ store, identity, clock, random, log: quietLog, times, onTerm });
  return { elector, terms };
}

const calm = (): Network => ({ down: false, thereMs: 5, backMs: 5 });

function two(first: LeaseRecord | undefined = FREE) {
  const clock = makeFakeClock();
  const lease = memoryLease(first);
  const networks = [calm(), calm()] as const;
  const make = (identity: string, network: Network) => contender(overNetwork(lease, network, clock), identity, clock);
  const [a, b] = [make("a", networks[0]), make("b", networks[1])];
  return { clock, lease, networks, a, b };
}

test("of two contenders one writes, and goes on writing", async () => {
  const { clock, a, b } = two();
  a.elector.start();
  await clock.until(() => a.elector.term() !== undefined, 5_000);
  b.elector.start();
  await clock.pass(120_000);
  expect(a.elector.term()?.fence).toBe(1);
  expect(b.elector.term()).toBeUndefined();
  expect(a.terms.length).toBe(1);
});

test("a writer that stops gives the lease back, and the other goes on at once", async () => {
  const { clock, a, b } = two();
  a.elector.start();
  await clock.until(() => a.elector.term() !== undefined, 5_000);
  b.elector.start();
  await clock.pass(5_000);
  let stopped = false;
  void a.elector.stop().then(() => {
    stopped = true;
  });
  await clock.until(() => stopped, 1_000);
  expect(a.terms[0]?.signal.aborted).toBe(true);
  expect(await clock.until(() => b.elector.term() !== undefined, 3_000)).toBeLessThan(3_000);
  expect(b.elector.term()?.fence).toBe(2);
});

test("a writer that is cut off stops writing before the other begins", async () => {
  const { clock, networks, a, b } = two();
  a.elector.start();
  await clock.until(() => a.elector.term() !== undefined, 5_000);
  b.elector.start();
  await clock.pass(5_000);
  networks[0].down = true;
  const lost = await clock.until(() => a.elector.term() === undefined, 20_000);
  expect(lost).toBeLessThanOrEqual(10_000);
  expect(b.elector.term()).toBeUndefined();
  await clock.until(() => b.elector.term() !== undefined, 20_000);
  expect(b.elector.term()?.fence).toBe(2);
  networks[0].down = false;
  await clock.pass(60_000);
  expect([a.elector.term(), b.elector.term()?.fence]).toEqual([undefined, 2]);
});

test("an API server that comes back finds the same writer in a new term", async () => {
  const { clock, networks, a } = two();
  a.elector.start();
  await clock.until(() => a.elector.term() !== undefined, 5_000);
  networks[0].down = true;
  await clock.pass(60_000);
  expect(a.elector.term()).toBeUndefined();
  networks[0].down = false;
  await clock.until(() => a.elector.term() !== undefined, 5_000);
  expect(a.elector.term()?.fence).toBe(2);
});

test("a lease that was deleted is waited out, since its holder may not know", async () => {
  const { clock, lease, a, b } = two();
  a.elector.start();
  await clock.until(() => a.elector.term() !== undefined, 5_000);
  lease.vanish();
  b.elector.start();
  const waited = await clock.until(() => b.elector.term() !== undefined || a.elector.term() === undefined, 60_000);
  expect(b.elector.term()).toBeUndefined();
  expect(waited).toBeLessThan(15_000);
  await clock.until(() => (b.elector.term() ?? a.elector.term()) !== undefined, 30_000);
  expect(lease.now()?.holder).toBe(a.elector.term() ? "a" : "b");
});

test("a process that was paused holds nothing when it goes on", async () => {
  const base = makeFakeClock();
  const paused = { ms: 0 };
  const clock: Clock = { ...base, wall: () => base.wall() + paused.ms };
  const lease = memoryLease(FREE);
  const { elector } = contender(overNetwork(lease, calm(), base), "a", clock);
  elector.start();
  await base.pass(5_000);
  expect(elector.term()).toBeDefined();
  paused.ms = 30_000;
  expect(elector.term()).toBeUndefined();
});

const machine = fc.record({
  rate: fc.double({ min: 0.88, max: 1.12, noNaN: true }),
  offsetMs: fc.integer({ min: -86_400_000, max: 86_400_000 }),
});
const change = fc.record({
  afterMs: fc.integer({ min: 100, max: 20_000 }),
  who: fc.nat(2),
  what: fc.oneof(
    fc.record({
      down: fc.boolean(),
      thereMs: fc.integer({ min: 1, max: 12_000 }),
      backMs: fc.integer({ min: 1, max: 12_000 }),
    }),
    fc.constant("vanish" as const),
    fc.constant("stop" as const),
  ),
});
const story = fc.record({
  machines: fc.tuple(machine, machine, machine),
  changes: fc.array(change, { maxLength: 25 }),
  first: fc.constantFrom(FREE, undefined),
});

type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

/** Lives through a story in steps of a quarter of a second; gives the greatest number of writers at once, and all terms. */
async function writersOf({ machines, changes, first }: Story, times: LeaseTimes) {
  const clock = makeFakeClock();
  const lease = memoryLease(first);
  const networks = machines.map(calm);
  const contenders = machines.map(({ rate, offsetMs }, index) => {
    const own = skewed(clock, rate, offsetMs);
    return contender(overNetwork(lease, networks[index] ?? calm(), clock), `m${index}`, own, times);
  });
  for (const { elector } of contenders) elector.start();
  let most = 0;
  const live = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 250) {
      clock.advance(250);
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, contenders.filter(({ elector }) => elector.term() !== undefined).length);
    }
  };
  await live(10_000);
  for (const { afterMs, who, what } of changes) {
    await live(afterMs);
    if (what === "vanish") lease.vanish();
    else if (what === "stop") void contenders[who]?.elector.stop();
    else Object.assign(networks[who] ?? {}, what);
  }
  await live(30_000);
  return { most, fences: contenders.flatMap(({ terms }) => terms.map(({ fence }) => fence)) };
}

test("no two write at once, whatever clocks and network do", { timeout: 60_000 }, async () => {
  let terms = 0;
  const property = fc.asyncProperty(story, async (told) => {
    const { most, fences } = await writersOf(told, DEFAULT_LEASE_TIMES);
    terms += fences.length;
    expect(most).toBeLessThanOrEqual(1);
    if (told.first && told.changes.every(({ what }) => what !== "vanish"))
      expect(new Set(fences).size).toBe(fences.length);
  });
  await fc.assert(property, { numRuns: 200 });
  expect(terms).toBeGreaterThan(200);
});

test("the property above finds a holder that counts on its lease too long", { timeout: 60_000 }, async () => {
  const greedy = { ...DEFAULT_LEASE_TIMES, renewMs: 25_000 };
  const property = fc.asyncProperty(story, async (told) => (await writersOf(told, greedy)).most <= 1);
  expect((await fc.check(property, { numRuns: 5000, endOnFailure: true })).failed).toBe(true);
});

let server: FakeApiServer | undefined;
afterEach(() => server?.close());

test("over the API server the lease is read, created, taken, renewed and given back", async () => {
  const clock: FakeClock = makeFakeClock();
  server = await startFakeApiServer({ clock, resources: [LEASES] });
  const connection = makeConnection(server.access, { clock });
  const { elector, terms } = contender(makeLeaseStore(connection, NAME), "pod-1", clock);
  elector.start();
  await clock.until(() => elector.term() !== undefined, 25_000);
  await clock.pass(10_000);
  const stored = () => server?.store.get({ resource: LEASES, ...NAME });
  expect(stored()).toMatchObject({
    spec: { holderIdentity: "pod-1", leaseDurationSeconds: 15, leaseTransitions: 1, renewTime: expect.any(String) },
  });
  server.faults.hang(true);
  await clock.until(() => elector.term() === undefined, 12_000);
  server.faults.hang(false);
  await clock.until(() => elector.term() !== undefined, 12_000);
  let stopped = false;
  void elector.stop().then(() => {
    stopped = true;
  });
  await clock.until(() => stopped, 5_000);
  expect(stored()).toMatchObject({ spec: { holderIdentity: "", leaseTransitions: 2 } });
  expect(terms.map(({ fence }) => fence)).toEqual([1, 2]);
  connection.close();
});
