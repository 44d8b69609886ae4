import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { serialNumber } from "../../src/ca/serial.ts";
import { ofOneLine } from "../../src/identity/renewal.ts";

test("a serial number has 16 octets and is positive, whatever chance gives", () => {
  const serials = [0x00, 0x7f, 0x80, 0xff].map((octet) => serialNumber((bytes) => Buffer.alloc(bytes, octet)));
  expect(serials.map((serial) => [serial.length, serial.slice(0, 2)])).toEqual([
    [32, "40"],
    [32, "7f"],
    [32, "40"],
    [32, "7f"],
  ]);
});

test("what renews a certificate is of its line, however many steps lie between, and has a number of its own", () => {
  const first = serialNumber(randomBytes);
  const next = serialNumber(randomBytes, first);
  const last = serialNumber(randomBytes, next);
  expect([ofOneLine(first, next), ofOneLine(first, last), next === last]).toEqual([true, true, false]);
  expect(ofOneLine(first, serialNumber(randomBytes))).toBe(false);
});

test("a number that is not one of Signet's is of no line but its own", () => {
  expect([ofOneLine("4a01", "4a01"), ofOneLine("4a01", "4a02"), serialNumber(randomBytes, "4a01").length]).toEqual([
    true,
    false,
    32,
  ]);
});
