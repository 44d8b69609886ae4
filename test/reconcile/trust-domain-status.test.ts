import { expect, test } from "vitest";
import { PACE } from "../../src/reconcile/authority/pace.ts";
import { authorityStatus } from "../../src/reconcile/authority/status.ts";
import { trustDomainPatch } from "../../src/reconcile/authority/trust-domain-status.ts";
import { readTrustDomainStatus } from "../../src/wire/authority-status.ts";
import type { Raw } from "../../src/wire/read-object.ts";
import { applyPatch } from "../fakes/json-patch.ts";
import { must, NOON } from "../fakes/judging.ts";

const OBJECT = { metadata: { name: "local", resourceVersion: "7", generation: 1 }, spec: { domain: "example.org" } };
const window = { notBefore: NOON - 1000, notAfter: NOON + 90 * 86_400_000 };
const AUTHORITIES = [
  { id: "aa", root: "a0", state: "tainted", since: NOON, window },
  { id: "bb", root: "b0", state: "active", since: NOON, window, offline: true },
] as const;

const statusOf = (ownRoots: boolean) =>
  authorityStatus(
    "example.org",
    { authorities: AUTHORITIES, sequence: 2, paused: false },
    { now: NOON, pace: PACE, ownRoots, served: 2, watchedMs: () => 0, lacking: () => [] },
  );

/** The TrustDomain as a replica leaves it. */
const written = (ownRoots: boolean): Raw =>
  applyPatch(OBJECT, trustDomainPatch(OBJECT, statusOf(ownRoots), { sequence: 2, fingerprints: [] }, NOON) ?? []);

test.each([true, false])("what a replica writes of its authorities is read back whole; roots made here: %s", (own) => {
  expect(must(readTrustDomainStatus(written(own)))).toEqual(statusOf(own));
});

test("a replica that was before says nothing of roots: then they are made here", () => {
  const { ownRoots: _, ...rotation } = (written(false)["status"] as { rotation: Raw }).rotation;
  const object = { ...OBJECT, status: { ...(written(false)["status"] as Raw), rotation } };
  expect(must(readTrustDomainStatus(object)).ownRoots).toBe(true);
});
