import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Catalogue, type Definitions, makeCatalogue } from "../../src/domain/catalogue.ts";
import type { Role, Segment } from "../../src/domain/definitions.ts";
import { answerReview } from "../../src/http/answer-review.ts";
import type { Webhook } from "../../src/http/services.ts";
import { type Bearer, deriveIdentity } from "../../src/identity/fit-role.ts";
import { readWorkload } from "../../src/wire/workloads.ts";
import { catalogueOf, must, objectsOf } from "../fakes/judging.ts";
import { fakeServices, pod, responseOf, review, SHOP, STAMP, stampIn } from "../fakes/web.ts";

const shop = catalogueOf(SHOP).definitions;
const isApproved = (generation: number) => ({ state: "approved", generation, by: ["somebody"] }) as const;

/** Changes that leave all objects but one as they are, as a watch does: some make a stamp another, some a verdict. */
const CHANGES: readonly ((all: Definitions) => Definitions)[] = [
  (all) => all,
  withRole((role) => ({ ...role, labels: { tier: `${role.labels["tier"] ?? ""}x` } })),
  withRole((role) => ({ ...role, approval: isApproved(2), uid: "u-2" })),
  withRole((role) => ({ ...role, permits: ["hostNetwork"] })),
  withRole((role) => ({ ...role, match: { ...role.match, kinds: ["VirtualMachine"] } })),
  withSegment((segment) => ({ ...segment, environment: segment.environment === "prod" ? "test" : "prod" })),
  withSegment((segment) => ({ ...segment, approval: isApproved(7) })),
  withSegment((segment) => ({ ...segment, mode: segment.mode === "observe" ? "enforce" : "observe" })),
  withSegment((segment) => ({ ...segment, isolation: "strict" })),
  (all) => ({
    ...all,
    namespaces: all.namespaces.map((each) => (each.name === "free" ? { ...each, enrolled: !each.enrolled } : each)),
  }),
  (all) => (all.trustDomain ? { ...all, trustDomain: { ...all.trustDomain, domain: "other.example.org" } } : all),
  () => shop,
];

function withRole(change: (role: Role) => Role) {
  return (all: Definitions): Definitions => ({
    ...all,
    roles: all.roles.map((role) => (role.name === "cart" ? change(role) : role)),
  });
}

function withSegment(change: (segment: Segment) => Segment) {
  return (all: Definitions): Definitions => ({ ...all, segments: all.segments.map(change) });
}

const object = fc
  .record({
    account: fc.constantFrom("cart", "cart", "cart", "job", "default"),
    labels: fc.constantFrom({}, STAMP.labels, { app: "x" }, { "signet.dev/role": "job" }, undefined),
    annotations: fc.constantFrom({}, STAMP.annotations, { "signet.dev/use-role": "cart" }, undefined),
    hostNetwork: fc.boolean(),
  })
  .map(({ account, labels, annotations, hostNetwork }) =>
    pod({ labels, annotations }, { serviceAccountName: account, hostNetwork }),
  );

const step = fc.record({
  change: fc.constantFrom(...CHANGES),
  webhook: fc.constantFrom<Webhook>("mutate", "validate"),
  namespace: fc.constantFrom("shop", "shop", "free"),
  object,
});

const services = fakeServices();
const answered = (webhook: Webhook, body: string, catalogue: Catalogue): string => {
  const answer = answerReview(webhook, body, catalogue, services);
  if (answer instanceof Promise) throw new Error("nothing is waited for here");
  return must(answer).body;
};

test("what is remembered of an identity is what comes out anew, whatever has changed between two reviews", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
      let all = shop;
      for (const { change, webhook, namespace, object: reviewed } of steps) {
        all = change(all);
        const body = JSON.stringify(review({ namespace, object: reviewed }));
        // A copy shares no object with the catalogues before it, so nothing can be remembered of it.
        const anew = makeCatalogue(structuredClone(all), "anew");
        const known = makeCatalogue(all, "known");
        for (const time of ["first", "again"])
          expect(answered(webhook, body, known), time).toBe(answered(webhook, body, anew));
      }
    }),
    { numRuns: 100 },
  );
});

test("accounts without end do not fill the memory, and each has its own name", () => {
  const any = withRole((role) => ({ ...role, match: { kinds: ["Pod"], labels: [], createdBy: [] } }))(shop);
  const catalogue = makeCatalogue(any, "any");
  for (let number = 0; number < 600; number += 1) {
    const body = JSON.stringify(review({ object: pod({}, { serviceAccountName: `a-${number % 300}` }) }));
    expect(stampIn(responseOf(JSON.parse(answered("mutate", body, catalogue))))["signet.dev/spiffe-id"]).toBe(
      `spiffe://example.org/ns/shop/sa/a-${number % 300}`,
    );
  }
  const identityOf = (account: string) => must(deriveIdentity(catalogue, bearerOf(account)));
  const first = identityOf("a-0");
  expect(identityOf("a-0")).toBe(first);
  for (let number = 1; number <= 256; number += 1) identityOf(`a-${number}`);
  expect(identityOf("a-0")).not.toBe(first);
});

/** What a Pod of that account is to the roles. */
function bearerOf(serviceAccount: string): Bearer {
  const [object] = objectsOf(JSON.stringify(pod({}, { serviceAccountName: serviceAccount })));
  const workload = object && must(readWorkload(object, { namespace: "shop" }));
  if (!workload) throw new Error("a Pod is a workload");
  return workload;
}
