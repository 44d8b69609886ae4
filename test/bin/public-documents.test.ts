import { beforeAll, expect, test } from "vitest";
import { type IssuingMeans, openIssuing } from "../../src/bin/issuing/open-issuing.ts";
import type { AuthorityKeeper } from "../../src/ca/authority-keeper.ts";
import { makeTokenKey, type TokenKeySet } from "../../src/ca/tokens/key-set.ts";
import { NOON } from "../fakes/judging.ts";
import { handClock, keeperOver, memoryVault, workAll } from "../fakes/vault.ts";

let keeper: AuthorityKeeper;
beforeAll(async () => {
  keeper = keeperOver(memoryVault(), handClock());
  await workAll(keeper);
});

/** The documents that everybody may read, of keys that a test changes; and how often a root was taken in hand for them. */
async function published() {
  const { bundle } = keeper.current();
  let taken = 0;
  const counted = () => ({
    ...bundle,
    roots: bundle.roots.map(({ der, ...root }) => ({
      ...root,
      get der() {
        taken += 1;
        return der;
      },
    })),
  });
  const keys = { bundle: counted(), tokens: [await makeTokenKey(NOON)] as TokenKeySet };
  const means = { keys: { authorities: () => ({ bundle: keys.bundle }), tokens: () => keys.tokens } };
  const { documents } = openIssuing(means as unknown as IssuingMeans).http;
  return { keys, counted, documents, taken: () => taken };
}

test("the bundle is rendered once for the very same keys, however often it is asked for, and anew for others", async () => {
  const { keys, counted, documents, taken } = await published();
  const first = documents.bundle();
  const once = taken();
  expect([documents.bundle(), documents.bundle(), taken()]).toEqual([first, first, once]);
  keys.bundle = counted();
  expect([documents.bundle(), taken()]).toEqual([first, 2 * once]);
  keys.tokens = [await makeTokenKey(NOON)];
  expect(documents.bundle()).not.toBe(first);
  expect(documents.bundle()).toContain(keys.tokens[0]?.kid);
});

test("the key set follows the keys, and there is none where there are no keys", async () => {
  const { keys, documents } = await published();
  const [first] = keys.tokens;
  expect([documents.keys(), documents.keys()]).toEqual(Array(2).fill(expect.stringContaining(first?.kid ?? "-")));
  keys.tokens = [await makeTokenKey(NOON)];
  expect(documents.keys()).toContain(keys.tokens[0]?.kid);
  expect(documents.keys()).not.toContain(first?.kid);
  keys.tokens = [];
  expect([documents.keys(), documents.bundle()]).toEqual([undefined, undefined]);
});
