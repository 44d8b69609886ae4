import { expect, test } from "vitest";
import { type Catalogue, makeCatalogue } from "../../src/domain/catalogue.ts";
import type { Labels } from "../../src/domain/label-selector.ts";
import { answerReview } from "../../src/http/answer-review.ts";
import { supersededStamps } from "../../src/identity/stamp.ts";
import { SupersededStamps } from "../../src/kube/superseded-stamps.ts";
import { applyPatch } from "../fakes/json-patch.ts";
import { catalogueOf, must } from "../fakes/judging.ts";
import { fakeServices, pod, review } from "../fakes/web.ts";

type Raw = Readonly<Record<string, unknown>>;

/** A role at a generation, with the tier that it has there. */
function at(generation: number, tier: string): Catalogue {
  const spec = { segment: "shop", match: { serviceAccounts: ["cart"] }, labels: { tier } };
  const approved = { generation, spec, by: ["ann"], at: "2026-11-23T11:00:00Z" };
  return catalogueOf(`
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [shop], mode: enforce}}
---
${JSON.stringify({ apiVersion: "signet.dev/v1alpha1", kind: "WorkloadRole", metadata: { name: "cart", uid: "r", generation }, spec, status: { approved } })}
`);
}

const [OLD, NEW] = [at(1, "middle"), at(2, "gold")];

type Answered = { readonly response: { readonly allowed: boolean; readonly patch?: string } };

async function ask(webhook: "mutate" | "validate", catalogue: Catalogue, object: Raw, before?: Catalogue) {
  const stamps = new SupersededStamps(() => 0);
  if (before) stamps.add(supersededStamps(before, catalogue));
  const services = fakeServices({ superseded: (stamp) => stamps.labelsOf(stamp) });
  const answered = must(await answerReview(webhook, JSON.stringify(review({ object })), catalogue, services));
  const { allowed, patch } = (JSON.parse(answered.body) as Answered).response;
  const operations = patch === undefined ? [] : JSON.parse(Buffer.from(patch, "base64").toString("utf8"));
  return { allowed, codes: answered.codes, object: applyPatch(object, operations as never) };
}

const stampedByOld = async (): Promise<Raw> => (await ask("mutate", OLD, pod({ name: "p" }))).object;

const relabelled = (object: Raw, labels: Labels): Raw => {
  const metadata = object["metadata"] as { readonly labels: Labels };
  return { ...object, metadata: { ...metadata, labels: { ...metadata.labels, ...labels } } };
};

test("a Pod that a replica stamped which lagged is taken by one that has seen the edit", async () => {
  const { allowed, codes } = await ask("validate", NEW, await stampedByOld(), OLD);
  expect({ allowed, codes }).toEqual({ allowed: true, codes: ["STAMP_MISSING"] });
});

test.each<readonly [string, Labels]>([
  ["another value", { "role.signet.dev/tier": "platinum" }],
  ["a label more", { "role.signet.dev/zone": "dmz" }],
  ["another environment", { "signet.dev/environment": "prod" }],
])("with %s it is forged: the older stamp counts letter for letter", async (_what, labels) => {
  const { allowed, codes } = await ask("validate", NEW, relabelled(await stampedByOld(), labels), OLD);
  expect(allowed).toBe(false);
  expect(codes).toContain("FORGED");
});

test("where the edit is seen only when something is read live, the older stamp is known as well", async () => {
  const stamps = new SupersededStamps(() => 0);
  const services = fakeServices({
    superseded: (stamp) => stamps.labelsOf(stamp),
    freshen: async () => {
      stamps.add(supersededStamps(OLD, NEW));
      return NEW;
    },
  });
  const { definitions } = OLD;
  const lacking = makeCatalogue({ ...definitions, namespaces: [] }, "lacking");
  const body = JSON.stringify(review({ object: await stampedByOld() }));
  expect(must(await answerReview("validate", body, lacking, services)).codes).toEqual(["STAMP_MISSING"]);
});

test("a stamp that was never in force here, or not of late, is forged", async () => {
  const { allowed } = await ask("validate", NEW, await stampedByOld());
  expect(allowed).toBe(false);
  let now = 0;
  const stamps = new SupersededStamps(() => now);
  const superseded = supersededStamps(OLD, NEW);
  stamps.add(superseded);
  const [[stamp, labels] = ["", {}]] = [...superseded];
  expect(stamps.labelsOf(stamp)).toEqual(labels);
  now = 10 * 60_000;
  expect(stamps.labelsOf(stamp)).toBeUndefined();
});

test("a Pod that is created with the mark of a deletion is stamped like any other", async () => {
  const { object } = await ask("mutate", NEW, pod({ name: "p", deletionTimestamp: "2026-11-23T11:00:00Z" }));
  expect(object).toMatchObject({ metadata: { labels: { "signet.dev/role": "cart" } } });
});
