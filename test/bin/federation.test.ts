import { beforeAll, expect, test } from "vitest";
import { Federation } from "../../src/bin/cluster/federation/federation.ts";
import { rootOf } from "../../src/bin/cluster/federation/look.ts";
import { ok, refuse, type Result } from "../../src/domain/problem.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import type { ForeignRoot, Look } from "../../src/reconcile/federation/standing.ts";
import { isRaw, type Raw, rawAt } from "../../src/wire/read-object.ts";
import { testAuthority, PROFILES } from "../fakes/ca.ts";
import { makeFakeClock, turns } from "../fakes/clock.ts";
import { applyPatch } from "../fakes/json-patch.ts";
import { catalogueOf, NOON, objectsOf } from "../fakes/judging.ts";
import { quietLog } from "../fakes/quiet-log.ts";

const domainOf = (name: string): string => `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: ${name}, uid: u-${name}, generation: 1, resourceVersion: "1"}, spec: {domain: ${name}.org, bundleEndpoint: {url: "https://${name}.org/b", profile: https_web}}, status: {approvals: [], approved: {generation: 1, spec: {domain: ${name}.org, bundleEndpoint: {url: "https://${name}.org/b", profile: https_web}}, by: [a], at: "2026-11-01T00:00:00Z"}}}
---`;
const CATALOGUE = `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---${domainOf("one")}${domainOf("two")}
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web]}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front]}, identity: {federatesWith: [one, two]}}}
`;
const BUNDLE = (name: string): string => `signet.dev:federated.${name}:bundle`;

let roots: Readonly<Record<"one" | "two" | "newer", ForeignRoot>>;

beforeAll(async () => {
  const made = async (domain: string) => rootOf((await testAuthority(PROFILES, domain)).root);
  const [one, two, newer] = await Promise.all([made("one.org"), made("two.org"), made("one.org")]);
  roots = { one, two, newer };
});

/** A cluster of two TrustDomains, whose API server refuses or fails where `faults` has the name of what is written. */
function makeCluster() {
  const bundles = new Map<string, Raw>();
  const domains = new Map(
    objectsOf(CATALOGUE).flatMap(({ kind, name, raw }) => (kind === "TrustDomain" ? [[name, raw] as const] : [])),
  );
  const faults = new Map<string, "refuses" | "fails">();
  const tried: string[] = [];
  const write = (name: string, done: () => Raw): Promise<Result<Raw>> => {
    tried.push(name);
    const fault = faults.get(name);
    if (fault === "fails") return Promise.reject(new Error("PATCH: 503 overloaded"));
    return Promise.resolve(fault ? refuse("API_REFUSED", "spec", "Not here.") : ok(done()));
  };
  const client: Partial<KubeClient> = {
    call: () => Promise.resolve({ status: 200, headers: {}, body: { resources: [{ name: "clustertrustbundles" }] } }),
    create: () => Promise.resolve(ok({ status: { allowed: true } })),
    list: () => Promise.resolve(ok({ resourceVersion: "1", items: [...bundles.values()] })),
    delete: (_, { name }) => write(name, () => (bundles.delete(name), {})),
    patch: (_, { name }, patch) =>
      write(name, () => {
        const holder = patch.type === "json" ? domains : bundles;
        const made = patch.type === "json" ? applyPatch(domains.get(name), patch.body as never) : patch.body;
        holder.set(name, made as Raw);
        return made as Raw;
      }),
  };
  return { bundles, domains, faults, tried, client: client as KubeClient };
}

type Looks = Readonly<Record<string, () => Promise<Look>>>;

/** One replica's term in it. */
function makeTerm({ client, domains }: ReturnType<typeof makeCluster>, looks: Looks, text = () => CATALOGUE) {
  const clock = makeFakeClock(NOON);
  const events: string[] = [];
  const objects = () => [...domains].map(([name, raw]) => ({ kind: "TrustDomain", name, raw }) as never);
  const federation = new Federation(
    {
      client,
      live: () => ({ current: () => catalogueOf(text()), objects }),
      clock,
      random: () => 1,
      log: quietLog,
      events: { emit: ({ reason, regarding, note }) => void events.push(`${reason} ${regarding.name}: ${note}`) },
      lookAt: ({ name }) => (looks[name] ?? never)(),
      count: () => undefined,
      onLook: () => undefined,
    },
    { fence: 1, signal: new AbortController().signal, valid: () => true },
  );
  return {
    clock,
    events,
    round: async () => {
      await federation.tend();
      await turns();
      await federation.tend();
    },
  };
}

const never = () => new Promise<Look>(() => undefined);
const brings =
  (root: ForeignRoot, sequence = 3) =>
  () =>
    Promise.resolve({ got: "bundle", roots: [root], sequence, refreshHint: 60 } as const);

type World = ReturnType<typeof makeCluster>;
const published = ({ bundles }: World, name: string): unknown =>
  rawAt(bundles.get(BUNDLE(name)) ?? {}, "spec")["trustBundle"];
const status = ({ domains }: World, name: string): Raw => rawAt(domains.get(name) ?? {}, "status");
const bundleOf = (world: World, name: string): Raw => rawAt(status(world, name), "bundle");
const fetched = (world: World, name: string): string => conditionOf(world, name, "Fetched");
const conditionOf = (world: World, name: string, wanted: string): string => {
  const conditions = status(world, name)["conditions"];
  const found = Array.isArray(conditions) ? conditions.filter(isRaw).find(({ type }) => type === wanted) : undefined;
  return `${String(found?.["reason"])}: ${String(found?.["message"])}`;
};

test.each([
  ["refuses", "spec: Not here."],
  ["fails", "PATCH: 503 overloaded"],
] as const)("where the API server %s a bundle, the status says so and claims the one before", async (fault, said) => {
  const world = makeCluster();
  await makeTerm(world, { one: brings(roots.one), two: brings(roots.two) }).round();
  world.faults.set(BUNDLE("one"), fault);
  const term = makeTerm(world, { one: brings(roots.newer, 4), two: brings(roots.two, 4) });
  await term.round();
  expect(published(world, "one")).toBe(roots.one.pem);
  expect(bundleOf(world, "one")).toMatchObject({ sequence: 3, fingerprints: [roots.one.fingerprint] });
  expect(fetched(world, "one")).toBe(`NotPublished: ${said} The bundle of 2026-11-23T12:00:00Z stays.`);
  expect(bundleOf(world, "two")).toMatchObject({ sequence: 4 });
  world.faults.clear();
  term.clock.advance(120_000);
  await term.round();
  expect(published(world, "one")).toBe(roots.newer.pem);
  expect(bundleOf(world, "one")).toMatchObject({ sequence: 4, fingerprints: [roots.newer.fingerprint] });
  expect(fetched(world, "one")).toBe("Fetched: 1 authority is published; it is fetched every 60 s.");
});

test("a bundle that the API server refuses is told of once, and tried ever later", async () => {
  const world = makeCluster();
  world.faults.set(BUNDLE("one"), "refuses");
  const term = makeTerm(world, { one: brings(roots.one), two: brings(roots.two) });
  const tries = async (seconds: number): Promise<number> => {
    const before = world.tried.length;
    for (let second = 0; second < seconds; second++) {
      await term.round();
      term.clock.advance(1_000);
    }
    return world.tried.slice(before).filter((name) => name === BUNDLE("one")).length;
  };
  expect([await tries(60), await tries(120)]).toEqual([4, 1]);
  expect(term.events.filter((text) => text.startsWith("BundleNotPublished"))).toEqual([
    "BundleNotPublished one: The bundle before stays, as the API server refuses: spec: Not here.",
  ]);
});

test("a bundle that is not wanted and cannot be deleted is told of: whoever mounts it believes it still", async () => {
  const world = makeCluster();
  await makeTerm(world, { one: brings(roots.one), two: brings(roots.two) }).round();
  world.faults.set(BUNDLE("one"), "refuses");
  const term = makeTerm(world, {}, () => CATALOGUE.replace("[one, two]", "[two]"));
  await term.round();
  const said =
    "Its bundle is not wanted and is published still: workloads that mount it believe this domain. The API server refuses to delete the ClusterTrustBundle; it is tried again: spec: Not here.";
  expect([published(world, "one"), conditionOf(world, "one", "Stale"), term.events]).toEqual([
    roots.one.pem,
    `NotDeleted: ${said}`,
    [`BundleNotDeleted one: ${said}`],
  ]);
  world.faults.clear();
  term.clock.advance(120_000);
  await term.round();
  expect([published(world, "one"), conditionOf(world, "one", "Stale")]).toEqual([
    undefined,
    "NotNeeded: Nothing is published of it.",
  ]);
});

test("neither a domain that is withdrawn nor a root that is taken out waits for a publication that was refused before", async () => {
  const refused = async (wanted: () => string, looks: Looks) => {
    const world = makeCluster();
    await makeTerm(world, { one: brings(roots.one), two: brings(roots.two) }).round();
    world.faults.set(BUNDLE("one"), "refuses");
    const term = makeTerm(world, looks, wanted);
    for (let round = 0; round < 60; round++) {
      await term.round();
      term.clock.advance(1_000);
    }
    world.faults.clear();
    return { world, term };
  };
  let text = CATALOGUE;
  const gone = await refused(() => text, { one: brings(roots.newer, 4), two: brings(roots.two) });
  text = CATALOGUE.replace("[one, two]", "[two]");
  await gone.term.round();
  expect([published(gone.world, "one"), conditionOf(gone.world, "one", "Stale")]).toEqual([
    undefined,
    "NotNeeded: Nothing is published of it.",
  ]);
  let bundle = [roots.one, roots.newer];
  const one = () => Promise.resolve({ got: "bundle", roots: bundle, sequence: 4, refreshHint: 10 } as const);
  const taken = await refused(() => CATALOGUE, { one, two: brings(roots.two) });
  bundle = [roots.newer];
  taken.term.clock.advance(10_000);
  await taken.term.round();
  expect(published(taken.world, "one")).toBe(roots.newer.pem);
});

test("a domain that is withdrawn while the API server refuses is said to be published still", async () => {
  const world = makeCluster();
  await makeTerm(world, { one: brings(roots.one), two: brings(roots.two) }).round();
  world.faults.set(BUNDLE("one"), "refuses");
  let text = CATALOGUE;
  const term = makeTerm(world, { one: brings(roots.newer, 4), two: brings(roots.two) }, () => text);
  await term.round();
  text = CATALOGUE.replace("[one, two]", "[two]");
  await term.round();
  expect([published(world, "one"), conditionOf(world, "one", "Stale")]).toEqual([
    roots.one.pem,
    "NotDeleted: Its bundle is not wanted and is published still: workloads that mount it believe this domain. The API server refuses to delete the ClusterTrustBundle; it is tried again: spec: Not here.",
  ]);
});

test("a status that cannot be written keeps no bundle from being published, and no other status from being written", async () => {
  const world = makeCluster();
  world.faults.set("one", "fails");
  await makeTerm(world, { one: brings(roots.one), two: brings(roots.two) }).round();
  expect(["one", "two"].map((name) => published(world, name))).toEqual([roots.one.pem, roots.two.pem]);
  expect(bundleOf(world, "two")).toMatchObject({ fingerprints: [roots.two.fingerprint] });
});

test("the next term leaves what is published, with no status, an edit that nobody approved, or nothing to be read", async () => {
  const world = makeCluster();
  const before = makeCluster();
  await makeTerm(world, { one: brings(roots.one), two: brings(roots.two) }).round();
  world.domains.set("one", before.domains.get("one") ?? {});
  const two = world.domains.get("two") ?? {};
  world.domains.set("two", { ...two, spec: { domain: "two.org" } });
  await makeTerm(world, {}).round();
  expect(["one", "two"].map((name) => published(world, name))).toEqual([roots.one.pem, roots.two.pem]);
  expect(bundleOf(world, "one")).toEqual({
    fingerprints: [roots.one.fingerprint],
    refreshSeconds: 300,
    notAfter: expect.any(String) as string,
    fetchedAt: "1970-01-01T00:00:00Z",
  });
  expect(bundleOf(world, "two")).toMatchObject({ generation: 1, sequence: 3 });
  const unreadable = {
    metadata: { name: BUNDLE("one") },
    spec: { signerName: "signet.dev/federated.one", trustBundle: "?" },
  };
  world.bundles.set(BUNDLE("one"), unreadable);
  await makeTerm(world, {}).round();
  expect(published(world, "one")).toBe("?");
});

test("where nothing is published any more, a lower number is not believed after a change of terms", async () => {
  const world = makeCluster();
  const ended = () => Promise.resolve({ got: "bundle", roots: [], sequence: 5 } as const);
  await makeTerm(world, { one: brings(roots.one), two: ended }).round();
  await makeTerm(world, { two: brings(roots.two, 4) }).round();
  expect(published(world, "two")).toBeUndefined();
  expect(fetched(world, "two")).toBe(
    "Older: The endpoint gave sequence number 4 after 5: an older bundle, or one of another server. Nothing is published of this domain.",
  );
  expect(bundleOf(world, "two")).toMatchObject({ sequence: 5, generation: 1, fingerprints: [] });
});

test("a look that throws is a look without a bundle, and is made again", async () => {
  const world = makeCluster();
  let looks = 0;
  const throws = () => Promise.reject(new Error(`it broke ${(looks += 1)}`));
  const term = makeTerm(world, { one: throws, two: brings(roots.two) });
  await term.round();
  expect(fetched(world, "one")).toBe("Refused: it broke 1 Nothing is published of this domain.");
  term.clock.advance(10_000);
  await term.round();
  expect(looks).toBe(2);
});
