import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { verifySvid } from "../../src/ca/verify-svid.ts";
import { leafWindow } from "../../src/identity/leaf-window.ts";
import { SvidPlan } from "../../src/identity/svid-plan.ts";
import { serialNumber } from "../../src/ca/serial.ts";
import { deriveEntitlement } from "../../src/identity/entitlement.ts";
import { readLeafKey } from "../../src/identity/leaf-key.ts";
import { leafKey, podRequest, PROFILES, SHOP_CATALOGUE, spkiOf } from "../fakes/ca.ts";
import { catalogueOf, must } from "../fakes/judging.ts";
import { handClock, keeperOver, memoryVault, pass, workAll } from "../fakes/vault.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
type Keeper = ReturnType<typeof keeperOver>;

const states = (keeper: Keeper) => keeper.current().set.authorities.map(({ state }) => state);
const firstOf = (keeper: Keeper): string => keeper.current().set.authorities[0]?.id ?? "";
const told = async (asked: ReturnType<Keeper["step"]>): Promise<string> => {
  const result = await asked;
  return result.ok ? "done" : result.problems.map(({ code, message }) => `${code} ${message}`).join("; ");
};

async function started() {
  const [vault, clock] = [memoryVault(), handClock()];
  const keeper = keeperOver(vault, clock);
  await workAll(keeper);
  return { vault, clock, keeper, id: firstOf(keeper) };
}

/** What a thief signs with the stolen key: a certificate like any other, that no ledger knows. */
async function forgedBy(keeper: Keeper, now: number) {
  const { issuer } = keeper.current();
  if (!issuer) throw new Error("none signs");
  const entitled = must(deriveEntitlement(catalogueOf(SHOP_CATALOGUE), podRequest("").bearer));
  const wish = { asked: undefined, entitled: entitled.maxTtlSeconds };
  const plan = SvidPlan.for(PROFILES.leaf, entitled, must(readLeafKey(spkiOf(leafKey()), "")), {
    serial: serialNumber((bytes) => createHash("sha512").update("thief").digest().subarray(0, bytes)),
    issuer: issuer.facts,
    window: must(leafWindow(PROFILES.leaf, issuer.facts, wish, now)),
  });
  return { leaf: (await issuer.sign(must(plan))).der, chain: issuer.intermediates };
}

const verdict = async (keeper: Keeper, chain: readonly Buffer[], now: number): Promise<string> => {
  const { anchors } = keeper.current();
  if (!anchors) throw new Error("nobody is believed");
  const verified = await verifySvid(chain, anchors, now);
  return verified.ok ? verified.value.spiffeId.id : (verified.problems[0]?.code ?? "");
};

test("from when a key is said to be stolen our doors believe no certificate of it, though its root is in the bundle", async () => {
  const { clock, keeper, id } = await started();
  const { leaf, chain } = await forgedBy(keeper, clock.wall);
  expect(await verdict(keeper, [leaf, ...chain], clock.wall)).toBe("spiffe://example.org/ns/web/sa/cart");
  await keeper.step({ step: "condemn", id, remove: "renewed" });
  expect(await verdict(keeper, [leaf, ...chain], clock.wall)).toBe("AUTHORITY_COMPROMISED");
  expect([states(keeper), keeper.current().bundle.roots.length]).toEqual([["active"], 1]);
  const [own = Buffer.alloc(0)] = chain;
  expect(keeper.current().anchors?.compromised).toHaveLength(1);
  expect(keeper.current().chains).toEqual([[own]]);
});

test("then the next authority is made at once, and the old root leaves when who renews in time has renewed", async () => {
  const { vault, clock, keeper, id } = await started();
  await keeper.step({ step: "pause" });
  expect(await told(keeper.step({ step: "condemn", id, remove: "renewed" }))).toBe("done");
  expect(await workAll(keeper)).toEqual(["make", "publish", "confirm"]);
  expect([states(keeper), keeper.current().issuer?.facts.keyId]).toEqual([["active", "published"], id]);
  pass(clock, 15 * MINUTE);
  expect(await workAll(keeper)).toEqual(["activate"]);
  expect(vault.text?.match(/BEGIN PRIVATE KEY/g)?.length).toBe(1);
  pass(clock, 12 * HOUR);
  expect(await workAll(keeper)).toEqual([]);
  pass(clock, 30 * MINUTE);
  expect(await workAll(keeper)).toEqual(["revoke"]);
  expect([states(keeper), keeper.current().bundle.roots.length]).toEqual([["revoked", "active"], 1]);
});

test("with `now` another authority signs, and the old root has left the bundle, without any wait", async () => {
  const { clock, keeper, id } = await started();
  const { leaf, chain } = await forgedBy(keeper, clock.wall);
  await keeper.step({ step: "condemn", id, remove: "now" });
  expect(await workAll(keeper)).toEqual(["make", "publish", "confirm", "activate", "revoke"]);
  expect(states(keeper)).toEqual(["revoked", "active"]);
  expect(await verdict(keeper, [leaf, ...chain], clock.wall)).toBe("SVID_INVALID");
});

test("who waited for holders to renew may still say `now`; nothing else is said twice", async () => {
  const { keeper, id } = await started();
  await keeper.step({ step: "condemn", id, remove: "renewed" });
  const again = 'ROTATION_REFUSED The step "condemn" cannot be made now: its key is known to be in wrong hands.';
  expect(await told(keeper.step({ step: "condemn", id, remove: "renewed" }))).toBe(again);
  expect(await told(keeper.step({ step: "condemn", id, remove: "now" }))).toBe("done");
  expect(await told(keeper.step({ step: "condemn", id, remove: "now" }))).toBe(again);
});

test("a stolen key never signs again, and is remembered until nothing that it signs can hold", async () => {
  const { clock, keeper, id } = await started();
  await keeper.step({ step: "request" });
  await workAll(keeper);
  pass(clock, 15 * MINUTE);
  await workAll(keeper);
  await keeper.step({ step: "condemn", id, remove: "renewed" });
  expect(await told(keeper.step({ step: "activate", id }))).toBe(
    'ROTATION_REFUSED The step "activate" cannot be made now: its key is in wrong hands.',
  );
  pass(clock, 13 * HOUR);
  expect(await workAll(keeper)).toEqual(["revoke"]);
  pass(clock, 30 * DAY);
  expect([await workAll(keeper), keeper.current().anchors?.compromised?.length]).toEqual([[], 1]);
  pass(clock, 62 * DAY);
  expect(await workAll(keeper)).toContain("prune");
});

test("an authority that never signed is withdrawn, and another is not asked for", async () => {
  const { keeper } = await started();
  await keeper.step({ step: "request" });
  await workAll(keeper);
  const second = keeper.current().set.authorities[1]?.id ?? "";
  await keeper.step({ step: "condemn", id: second, remove: "renewed" });
  expect([states(keeper), await workAll(keeper)]).toEqual([["active", "revoked"], []]);
});

test("a writer that is killed before any write of it is followed by one that goes on from there", async () => {
  const { vault, clock, keeper, id } = await started();
  await keeper.step({ step: "condemn", id, remove: "now" });
  const seen: string[] = [];
  for (let turn = 0; turn < 6; turn++) {
    vault.lose = true;
    await workAll(keeperOver(vault, clock));
    vault.lose = false;
    const next = keeperOver(vault, clock);
    await next.refresh();
    seen.push((await next.work())?.step ?? "-");
  }
  expect(seen).toEqual(["make", "publish", "confirm", "activate", "revoke", "-"]);
});
