import { expect, test } from "vitest";
import { federationEvent } from "../../../src/reconcile/federation/events.ts";
import { afterLook, type HeldBundle, type Look, type Standing } from "../../../src/reconcile/federation/standing.ts";
import { federationPatch, leftStanding, unwantedPatch } from "../../../src/reconcile/federation/status.ts";
import { federatedDomains, unwantedBecause } from "../../../src/reconcile/federation/wanted.ts";
import type { Raw } from "../../../src/wire/read-object.ts";
import { MOST_BUNDLE_KEYS } from "../../../src/wire/trust-bundle.ts";
import { applyPatch } from "../../fakes/json-patch.ts";
import { catalogueOf, NOON } from "../../fakes/judging.ts";

const SECOND = 1000;
const held = (more: Partial<HeldBundle> = {}): HeldBundle => ({
  roots: [{ pem: "PEM", fingerprint: "aa", notAfter: NOON + 3600 * SECOND }],
  sequence: 3,
  refreshSeconds: 60,
  generation: 1,
  fetchedAt: NOON,
  ...more,
});
const FAILURE = { reason: "Unavailable", message: "partner.example.org gave no bundle: it answered 503." } as const;
const OBJECT = {
  apiVersion: "signet.dev/v1alpha1",
  metadata: { name: "partner", uid: "u-1", generation: 1, resourceVersion: "7" },
  status: { approvals: [], conditions: [{ type: "Ready", status: "True" }] },
};
type Status = { readonly bundle?: Raw; readonly conditions: readonly Raw[] };
const written = (object: Raw, standing: Standing, now: number): Raw =>
  applyPatch(object as never, (federationPatch(object, standing, now) ?? []) as never);
const conditionsOf = (object: Raw) =>
  (object["status"] as Status).conditions.map(({ type, status, reason, message }) => [type, status, reason, message]);

test("the status says what is published, since when, and how often it is fetched", () => {
  const object = written(OBJECT, { held: held(), failures: 0 }, NOON);
  expect((object["status"] as Status).bundle).toEqual({
    sequence: 3,
    fingerprints: ["aa"],
    generation: 1,
    refreshSeconds: 60,
    notAfter: "2026-11-23T13:00:00Z",
    fetchedAt: "2026-11-23T12:00:00Z",
  });
  expect(conditionsOf(object)).toEqual([
    ["Ready", "True", undefined, undefined],
    ["Fetched", "True", "Fetched", "1 authority is published; it is fetched every 60 s."],
    ["Stale", "False", "Refreshed", "It is as new as the domain asks for."],
  ]);
});

test("what it says already is not written again, but the time every ten minutes, and each change", () => {
  const object = written(OBJECT, { held: held(), failures: 0 }, NOON);
  const again = (more: Partial<HeldBundle>, at: number) =>
    federationPatch(object, { held: held({ fetchedAt: at, ...more }), failures: 0 }, at);
  expect(again({}, NOON + 599 * SECOND)).toBeUndefined();
  expect(again({}, NOON + 600 * SECOND)?.map(({ path }) => path)).toEqual([
    "/metadata/resourceVersion",
    "/status/bundle",
  ]);
  expect(again({ sequence: 4 }, NOON + SECOND)?.[1]).toMatchObject({
    path: "/status/bundle",
    value: { sequence: 4, fetchedAt: "2026-11-23T12:00:01Z" },
  });
});

test("a failure is told with what stays", () => {
  const failing = { failure: FAILURE, failures: 1 };
  expect(conditionsOf(written(OBJECT, { held: held(), ...failing }, NOON + 181 * SECOND)).slice(1)).toEqual([
    [
      "Fetched",
      "False",
      "Unavailable",
      "partner.example.org gave no bundle: it answered 503. The bundle of 2026-11-23T12:00:00Z stays.",
    ],
    [
      "Stale",
      "True",
      "NotRefreshed",
      "No bundle came since 2026-11-23T12:00:00Z: it may lack authorities that sign by now.",
    ],
  ]);
  expect(conditionsOf(written(OBJECT, failing, NOON))[1]?.[3]).toBe(
    "partner.example.org gave no bundle: it answered 503. Nothing is published of this domain.",
  );
});

test("a bundle without living authorities says that nobody is believed", () => {
  const message = "The bundle has no authority whose time is not over: nobody of this domain is believed.";
  for (const standing of [
    { held: held({ roots: [] }), failures: 0 },
    { held: held(), failures: 0 },
  ])
    expect(conditionsOf(written(OBJECT, standing, NOON + 3601 * SECOND))[1]?.[3]).toBe(message);
});

test("where nothing is fetched any more, of the bundle stays only what keeps an older one from being believed", () => {
  const object = written(OBJECT, { held: held(), failures: 0 }, NOON);
  const gone = applyPatch(object as never, (unwantedPatch(object, "NotNeeded", NOON) ?? []) as never);
  const memory = { sequence: 3, fingerprints: [], generation: 1, fetchedAt: "2026-11-23T12:00:00Z" };
  expect((gone["status"] as Status).bundle).toEqual(memory);
  expect(conditionsOf(gone).slice(1)).toEqual([
    ["Fetched", "False", "NotNeeded", "No role in force federates with it, so its bundle is not fetched."],
    ["Stale", "False", "NotNeeded", "Nothing is published of it."],
  ]);
  expect(unwantedPatch(gone, "NotNeeded", NOON)).toBeUndefined();
  const left = leftStanding(gone, { roots: [], since: 0 });
  expect(left).toEqual({
    held: { roots: [], sequence: 3, refreshSeconds: 300, generation: 1, fetchedAt: NOON },
    failures: 0,
    left: true,
  });
  const waits = conditionsOf(written(gone, left, NOON)).slice(1);
  expect(waits.map(([, , reason]) => reason)).toEqual(["NotYet", "NoBundle"]);
  const look: Look = { got: "bundle", roots: [], sequence: 2 };
  expect(afterLook(left, look, 1, NOON).failure?.reason).toBe("Older");
});

test("without the component what was said of a bundle stays: it may still be published", () => {
  const object = written(OBJECT, { held: held(), failures: 0 }, NOON);
  const told = applyPatch(object as never, (unwantedPatch(object, "NotInstalled", NOON) ?? []) as never);
  expect((told["status"] as Status).bundle).toEqual((object["status"] as Status).bundle);
  expect(conditionsOf(told)[2]).toEqual([
    "Stale",
    "False",
    "NotInstalled",
    "What was published of it before is not seen from here, and stays as it is.",
  ]);
});

test("what is published stays, and counts for a generation only where the status names the same authorities", () => {
  const object = written(OBJECT, { held: held(), failures: 0 }, NOON);
  const left = (roots: HeldBundle["roots"], from: Raw | undefined = object) =>
    leftStanding(from, { roots, since: NOON - SECOND });
  const other = [{ pem: "NEW", fingerprint: "bb", notAfter: NOON + SECOND }];
  expect(left(held().roots)).toEqual({ held: held(), failures: 0, left: true });
  expect(left(other)).toEqual({
    held: { roots: other, refreshSeconds: 60, fetchedAt: NOON },
    failures: 0,
    left: true,
  });
  const unread = { held: { roots: other, refreshSeconds: 300, fetchedAt: NOON - SECOND }, failures: 0, left: true };
  expect(leftStanding(undefined, { roots: other, since: NOON - SECOND })).toEqual(unread);
  expect(left(other, OBJECT)).toEqual(unread);
  expect(left([], OBJECT)).toEqual({ failures: 0, left: true });
});

test("the status names only authorities whose time is not over, and has room for as many as are read", () => {
  const roots = Array.from({ length: MOST_BUNDLE_KEYS }, (_, index) => ({
    pem: "PEM",
    fingerprint: String(index),
    notAfter: NOON + (index === 0 ? -1 : 1),
  }));
  const object = written(OBJECT, { held: held({ roots }), failures: 0 }, NOON);
  expect((object["status"] as Status).bundle?.["fingerprints"]).toEqual(
    roots.slice(1).map(({ fingerprint }) => fingerprint),
  );
});

test("an Event tells of new authorities, and once of each reason why there is no bundle", () => {
  const told = (before: Standing, after: Standing) => {
    const event = federationEvent(OBJECT, before, after);
    return event && [event.type, event.reason, event.note, event.regarding.namespace];
  };
  const good = { held: held(), failures: 0 };
  const failing = { held: held(), failure: FAILURE, failures: 1 };
  expect(told({ failures: 0 }, good)).toEqual([
    "Normal",
    "BundleChanged",
    "Authorities of its bundle: 1 new, 0 gone.",
    "default",
  ]);
  expect(told(good, failing)).toEqual(["Warning", "BundleNotFetched", FAILURE.message, "default"]);
  expect([told(failing, failing), told(failing, good), told(good, good)]).toEqual([undefined, undefined, undefined]);
});

const CATALOGUE = `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: partner, uid: u-1}, spec: {domain: partner.org, bundleEndpoint: {url: "https://partner.org/b", profile: https_web}}, status: {approved: {generation: 3, spec: {domain: partner.org, bundleEndpoint: {url: "https://partner.org/b", profile: https_web}}, by: [a], at: "2026-11-01T00:00:00Z"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: idle, uid: u-2}, spec: {domain: idle.org, bundleEndpoint: {url: "https://idle.org/b", profile: https_web}}, status: {approved: {generation: 1, spec: {domain: idle.org, bundleEndpoint: {url: "https://idle.org/b", profile: https_web}}, by: [a], at: "2026-11-01T00:00:00Z"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: waits, uid: u-3}, spec: {domain: waits.org, bundleEndpoint: {url: "https://waits.org/b", profile: https_web}}}
---
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: self, uid: u-4}, spec: {domain: example.org, bundleEndpoint: {url: "https://self.org/b", profile: https_web}}, status: {approved: {generation: 1, spec: {domain: example.org, bundleEndpoint: {url: "https://self.org/b", profile: https_web}}, by: [a], at: "2026-11-01T00:00:00Z"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web]}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front]}, identity: {federatesWith: [partner, waits, self]}}}
`;

test("a bundle is wanted where an approved TrustDomain says where it is and a role federates with it; ours never is", () => {
  const catalogue = catalogueOf(CATALOGUE);
  expect(federatedDomains(catalogue)).toEqual([
    {
      name: "partner",
      uid: "u-1",
      domain: "partner.org",
      generation: 3,
      endpoint: { url: "https://partner.org/b", profile: "https_web" },
    },
  ]);
  expect(["u-2", "u-3", "u-4", "u-5"].map((uid) => unwantedBecause(catalogue, uid))).toEqual([
    "NotNeeded",
    "NotApproved",
    "OwnDomain",
    "NotApproved",
  ]);
});
