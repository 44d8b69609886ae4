import { expect, test } from "vitest";
import { parseSpiffeId } from "../../src/domain/spiffe-id.ts";
import { must } from "../fakes/judging.ts";

test("a SPIFFE ID is read into trust domain and path", () => {
  const id = "spiffe://prod-eu.example.org/ns/payments/sa/Orders_db.v2";
  expect(must(parseSpiffeId(id, ""))).toEqual({
    id,
    trustDomain: "prod-eu.example.org",
    path: "/ns/payments/sa/Orders_db.v2",
  });
});

test.each([
  ["I1: another scheme", "https://example.org/ns/a/sa/b"],
  ["I1: scheme in capitals", "SPIFFE://example.org/ns/a/sa/b"],
  ["I1: query", "spiffe://example.org/ns/a/sa/b?x=1"],
  ["I1: fragment", "spiffe://example.org/ns/a/sa/b#x"],
  ["I1: user", "spiffe://u@example.org/ns/a/sa/b"],
  ["I1: port", "spiffe://example.org:443/ns/a/sa/b"],
  ["I2: no trust domain", "spiffe:///ns/a/sa/b"],
  ["I2: capitals", "spiffe://Example.org/ns/a/sa/b"],
  ["I2: escape", "spiffe://example%2eorg/ns/a/sa/b"],
  ["I2: too long", `spiffe://${"a".repeat(256)}/x`],
  ["I3: empty segment", "spiffe://example.org/ns//sa/b"],
  ["I3: dot", "spiffe://example.org/ns/./sa/b"],
  ["I3: dots", "spiffe://example.org/ns/../sa/b"],
  ["I3: trailing slash", "spiffe://example.org/ns/a/sa/b/"],
  ["I3: escape", "spiffe://example.org/ns/a%2Fsa/b"],
  ["I3: look-alike", "spiffe://example.org/ns/pаyments/sa/b"],
  ["I3: line end", "spiffe://example.org/ns/a/sa/b\n"],
  ["I4: too long", `spiffe://example.org/${"a".repeat(2048)}`],
  ["X2: no path", "spiffe://example.org"],
  ["X2: root path", "spiffe://example.org/"],
])("%s is refused", (_, text) => {
  const read = parseSpiffeId(text, "sub");
  expect(read.ok ? [] : read.problems.map(({ code, path }) => [code, path])).toEqual([["IDENTITY_INVALID", "sub"]]);
});
