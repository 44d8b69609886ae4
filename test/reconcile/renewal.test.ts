import { expect, test } from "vitest";
import type { AuthoritySet } from "../../src/reconcile/authority/authority-set.ts";
import { PACE } from "../../src/reconcile/authority/pace.ts";
import { renewAfterTaint } from "../../src/reconcile/authority/renewal.ts";

const window = { notBefore: 0, notAfter: 1e12 };
const SET: AuthoritySet = {
  sequence: 3,
  paused: false,
  authorities: [
    { id: "aa", root: "ra", state: "tainted", since: 1000, window },
    { id: "bb", root: "rb", state: "active", since: 1000, window },
  ],
};

test("holders of certificates by a tainted authority renew within half an hour, spread evenly; others need not", () => {
  const at = (authority: string, serial: string) => renewAfterTaint(SET, { authority, serial }, PACE);
  expect([at("aa", "4a000000"), at("aa", "4a800000"), at("aa", "4affffff"), at("bb", "4a800000")]).toEqual([
    1000,
    1000 + 15 * 60_000,
    1000 + 30 * 60_000 - 1,
    undefined,
  ]);
});
