import { expect, test } from "vitest";
import { renderIssuanceRecord } from "../../src/wire/issuance-record.ts";

const ASKED = { at: 0, door: "rest", caller: "system:serviceaccount:web:cart", subject: "Pod web/p" } as const;

test("an issued certificate's record has its number, its window and its digest, and no key", () => {
  const text = renderIssuanceRecord({
    ...ASKED,
    outcome: "issued",
    serial: "4a01",
    spiffeId: "spiffe://example.org/ns/web/sa/cart",
    role: "cart",
    segment: "shop",
    keyType: "ECDSAP256",
    notBefore: Date.parse("2026-12-01T00:00:00Z"),
    notAfter: Date.parse("2026-12-01T04:00:00Z"),
    authority: "aa",
    sha256: "bb",
  });
  expect(JSON.parse(text)).toEqual({
    door: "rest",
    caller: "system:serviceaccount:web:cart",
    outcome: "issued",
    serial: "4a01",
    spiffeId: "spiffe://example.org/ns/web/sa/cart",
    role: "cart",
    segment: "shop",
    keyType: "ECDSAP256",
    authority: "aa",
    sha256: "bb",
    notBefore: "2026-12-01T00:00:00Z",
    notAfter: "2026-12-01T04:00:00Z",
  });
});

test("a refusal's record has its code and its sentence", () => {
  const text = renderIssuanceRecord({ ...ASKED, outcome: "refused", code: "ROLE_NONE", message: "No role fits." });
  expect(text).toBe(
    '{"door":"rest","caller":"system:serviceaccount:web:cart","outcome":"refused","code":"ROLE_NONE","message":"No role fits."}',
  );
});
