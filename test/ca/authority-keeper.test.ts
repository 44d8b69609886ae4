import { expect, test } from "vitest";
import { handClock, keeperOver, memoryVault, pass, workAll } from "../fakes/vault.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const states = (keeper: ReturnType<typeof keeperOver>) => keeper.current().set.authorities.map(({ state }) => state);
const active = (keeper: ReturnType<typeof keeperOver>) => keeper.current().issuer?.facts.keyId;

test("a new trust domain has its first authority at once", async () => {
  const keeper = keeperOver(memoryVault(), handClock());
  expect(await workAll(keeper)).toEqual(["make", "publish", "confirm", "activate"]);
  const { issuer, bundle, set } = keeper.current();
  expect([issuer?.facts.keyId === set.authorities[0]?.id, bundle.sequence, bundle.roots.length]).toEqual([true, 1, 1]);
});

test("a rotation that was asked for goes through every state, and each waits as long as it must", async () => {
  const [vault, clock] = [memoryVault(), handClock()];
  const keeper = keeperOver(vault, clock);
  await workAll(keeper);
  const first = active(keeper);
  expect((await keeper.step({ step: "request" })).ok).toBe(true);
  expect(await workAll(keeper)).toEqual(["make", "publish", "confirm"]);
  expect([states(keeper), active(keeper) === first, keeper.current().bundle.roots.length]).toEqual([
    ["active", "published"],
    true,
    2,
  ]);
  pass(clock, 14 * MINUTE);
  expect(await workAll(keeper)).toEqual([]);
  pass(clock, MINUTE);
  expect(await workAll(keeper)).toEqual(["activate"]);
  expect([states(keeper), active(keeper) === first]).toEqual([["tainted", "active"], false]);
  pass(clock, 47 * HOUR);
  expect(await workAll(keeper)).toEqual([]);
  pass(clock, HOUR);
  expect(await workAll(keeper)).toEqual(["revoke"]);
  expect([states(keeper), keeper.current().bundle.roots.length]).toEqual([["revoked", "active"], 1]);
  expect(vault.text?.match(/BEGIN PRIVATE KEY/g)?.length).toBe(1);
  pass(clock, DAY);
  expect(await workAll(keeper)).toEqual(["prune"]);
  expect(states(keeper)).toEqual(["active"]);
});

test("by itself the next authority is made when half of this one's life is over", async () => {
  const clock = handClock();
  const keeper = keeperOver(memoryVault(), clock);
  await workAll(keeper);
  pass(clock, 44 * DAY);
  expect(await workAll(keeper)).toEqual([]);
  pass(clock, DAY);
  expect(await workAll(keeper)).toEqual(["make", "publish", "confirm"]);
});

test("an authority that has expired is replaced at once, for nobody could wait for less", async () => {
  const clock = handClock();
  const keeper = keeperOver(memoryVault(), clock);
  await workAll(keeper);
  pass(clock, 400 * DAY);
  expect(await workAll(keeper)).toEqual(["make", "publish", "confirm", "activate", "revoke"]);
  expect(states(keeper)).toEqual(["revoked", "active"]);
});

test("a wall clock that jumps by a day makes nothing active early, and revokes nothing", async () => {
  const clock = handClock();
  const keeper = keeperOver(memoryVault(), clock);
  await workAll(keeper);
  await keeper.step({ step: "request" });
  await workAll(keeper);
  clock.wall += DAY;
  expect(await workAll(keeper)).toEqual([]);
  pass(clock, 15 * MINUTE);
  await workAll(keeper);
  clock.wall += DAY;
  expect([await workAll(keeper), states(keeper)]).toEqual([[], ["tainted", "active"]]);
});

test("a writer that is killed before any write is followed by one that goes on from there", async () => {
  const [vault, clock] = [memoryVault(), handClock()];
  const seen: string[] = [];
  for (let turn = 0; turn < 6; turn++) {
    vault.lose = true;
    await workAll(keeperOver(vault, clock));
    vault.lose = false;
    const next = keeperOver(vault, clock);
    await next.refresh();
    seen.push((await next.work())?.step ?? "-");
  }
  expect(seen).toEqual(["make", "publish", "confirm", "activate", "-", "-"]);
});

test("of two writers one loses, and both see the same authority active", async () => {
  const [vault, clock] = [memoryVault(), handClock()];
  const [one, two] = [keeperOver(vault, clock), keeperOver(vault, clock)];
  await Promise.all([one.refresh(), two.refresh()]);
  const made = await Promise.all([one.work(), two.work()]);
  expect(made.filter((step) => step !== undefined)).toEqual([{ step: "make" }]);
  await workAll(one);
  await workAll(two);
  expect([states(one), active(one)]).toEqual([states(two), active(two)]);
});

test("a replica that has not read for more than five minutes signs nothing and believes no certificate", async () => {
  const clock = handClock();
  const keeper = keeperOver(memoryVault(), clock);
  await workAll(keeper);
  const { bundle } = keeper.current();
  pass(clock, 5 * MINUTE + 1);
  expect([active(keeper), keeper.current().anchors, keeper.current().bundle]).toEqual([undefined, undefined, bundle]);
  await keeper.refresh();
  expect(active(keeper)).toBeDefined();
  const roots = bundle.roots.map(({ der }) => der);
  expect(keeper.current().anchors).toEqual({ trustDomain: "example.org", roots, compromised: [] });
});

const told = async (asked: ReturnType<ReturnType<typeof keeperOver>["step"]>): Promise<string> => {
  const result = await asked;
  return result.ok ? "done" : result.problems.map(({ code, message }) => `${code} ${message}`).join("; ");
};
const refused = (step: string, why: string): string =>
  `ROTATION_REFUSED The step "${step}" cannot be made now: ${why}.`;

test("no step can be skipped, and the refusal says what it waits for", async () => {
  const clock = handClock();
  const keeper = keeperOver(memoryVault(), clock);
  await workAll(keeper);
  const [first = ""] = keeper.current().set.authorities.map(({ id }) => id);
  await keeper.step({ step: "request" });
  await workAll(keeper);
  const second = keeper.current().set.authorities.at(-1)?.id ?? "";
  expect([
    await told(keeper.step({ step: "activate", id: second })),
    await told(keeper.step({ step: "revoke", id: first })),
    await told(keeper.step({ step: "prune", id: first })),
    await told(keeper.step({ step: "withdraw", id: first })),
    await told(keeper.step({ step: "request" })),
    await told(keeper.step({ step: "publish", id: "none" })),
    await told(keeper.step({ step: "resume" })),
  ]).toEqual([
    refused("activate", "readers get 15 min to have its root, of which 15 min are left"),
    refused("revoke", "the authority is active, not tainted"),
    refused("prune", "the authority is active, not revoked"),
    refused("withdraw", "the authority is active, not prepared or published"),
    refused("request", "a new authority is on its way already"),
    refused("publish", "there is no such authority"),
    refused("resume", "it is not paused"),
  ]);
});

test("a reader that was looked at and lacks the root holds the rotation up, by name", async () => {
  const clock = handClock();
  const lacking: string[] = ["agent db-vm-7"];
  const keeper = keeperOver(memoryVault(), clock, { lacking: () => lacking });
  await workAll(keeper);
  await keeper.step({ step: "request" });
  await workAll(keeper);
  pass(clock, HOUR);
  await keeper.refresh();
  const second = keeper.current().set.authorities.at(-1)?.id ?? "";
  expect(await told(keeper.step({ step: "activate", id: second }))).toBe(
    refused("activate", "agent db-vm-7 does not have its root yet"),
  );
  lacking.pop();
  expect(await workAll(keeper)).toEqual(["activate"]);
});

test("a rotation can be paused, taken back before it signs, and rolled back after", async () => {
  const clock = handClock();
  const keeper = keeperOver(memoryVault(), clock);
  await workAll(keeper);
  const [first = ""] = keeper.current().set.authorities.map(({ id }) => id);
  await keeper.step({ step: "pause" });
  await keeper.step({ step: "request" });
  expect(await workAll(keeper)).toEqual([]);
  await keeper.step({ step: "resume" });
  await workAll(keeper);
  const second = keeper.current().set.authorities.at(-1)?.id ?? "";
  await keeper.step({ step: "withdraw", id: second });
  expect([states(keeper), active(keeper)]).toEqual([["active", "revoked"], first]);
  await keeper.step({ step: "request" });
  await workAll(keeper);
  pass(clock, 15 * MINUTE);
  await workAll(keeper);
  expect(states(keeper)).toEqual(["tainted", "revoked", "active"]);
  expect(await told(keeper.step({ step: "activate", id: first }))).toBe("done");
  expect([states(keeper), active(keeper)]).toEqual([["active", "revoked", "tainted"], first]);
});

test("authorities of another trust domain, or a book that is damaged, are not taken for ours", async () => {
  const [vault, clock] = [memoryVault(), handClock()];
  await workAll(keeperOver(vault, clock));
  await expect(keeperOver(vault, clock, { trustDomain: "other.org" }).refresh()).rejects.toThrow(
    "the authorities kept are of trust domain example.org",
  );
  vault.text = vault.text?.replace('"state"', '"stat"');
  await expect(keeperOver(vault, clock).refresh()).rejects.toThrow("What is kept of the authorities cannot be read.");
});
