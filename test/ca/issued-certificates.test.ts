import { expect, test } from "vitest";
import { IssuedCertificates } from "../../src/ca/issued-certificates.ts";
import type { Issued } from "../../src/wire/issuance-record.ts";
import { NOON } from "../fakes/judging.ts";

const issued = (serial: string, more: Partial<Issued> = {}): Issued => ({
  at: NOON,
  door: "rest",
  caller: "c",
  subject: "Pod web/cart-1",
  outcome: "issued",
  serial,
  spiffeId: "spiffe://example.org/ns/web/sa/cart",
  role: "cart",
  segment: "shop",
  keyType: "ECDSAP256",
  notBefore: NOON,
  notAfter: NOON + 3_600_000,
  authority: "aa",
  sha256: "bb",
  ...more,
});

test("the place is known of a certificate that was issued to a Pod, and of no other", () => {
  const certificates = new IssuedCertificates();
  certificates.add(issued("4a01", { pod: "u-1", node: "n1", virtualMachine: "vm" }), NOON);
  certificates.add(issued("4a02", { subject: "Identity web/cart" }), NOON);
  certificates.add(issued("4a03"), NOON);
  expect(["4a01", "4a02", "4a03", "4a04"].map((serial) => certificates.whereabouts(serial))).toEqual([
    {
      pod: { namespace: "web", name: "cart-1", uid: "u-1" },
      node: { name: "n1" },
      virtualMachine: { namespace: "web", name: "vm" },
    },
    undefined,
    undefined,
    undefined,
  ]);
});

test("what has ended is not remembered, and of too many those issued first are forgotten", () => {
  const certificates = new IssuedCertificates(10);
  certificates.add(issued("4a01", { pod: "u", notAfter: NOON }), NOON);
  for (let count = 0; count < 1035; count++) certificates.add(issued(`b${count}`, { pod: "u" }), NOON);
  const known = (serial: string) => certificates.whereabouts(serial) !== undefined;
  expect([known("4a01"), known("b0"), known("b1034")]).toEqual([false, false, true]);
  expect(certificates.named({ by: "role", name: "cart" }, NOON + 3_600_000)).toEqual([]);
});

test("what is remembered is looked through once for each kind of target, however many Restrictions there are", () => {
  let read = 0;
  const counted = (serial: string, node: string): Issued => {
    const certificate = issued(serial, { pod: "u", node });
    Object.defineProperty(certificate, "node", { get: () => (read++, node) });
    return certificate;
  };
  const certificates = new IssuedCertificates();
  for (let count = 0; count < 100; count++) certificates.add(counted(`a${count}`, `n${count}`), NOON);
  const found = Array.from({ length: 100 }, (_, count) => certificates.named({ by: "node", name: `n${count}` }, NOON));
  expect([found.map((each) => each.map(({ serial }) => serial)), read <= 300]).toEqual([
    Array.from({ length: 100 }, (_, count) => [`a${count}`]),
    true,
  ]);
});

test("what was issued since is named too", () => {
  const certificates = new IssuedCertificates();
  const named = () => certificates.named({ by: "role", name: "cart" }, NOON).map(({ serial }) => serial);
  certificates.add(issued("4a01"), NOON);
  expect(named()).toEqual(["4a01"]);
  certificates.add(issued("4a02", { caller: "spiffe://example.org/ns/web/sa/cart by certificate 4a01" }), NOON);
  expect(named()).toEqual(["4a01", "4a02"]);
});
