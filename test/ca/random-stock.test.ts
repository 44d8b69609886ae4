import { expect, test } from "vitest";
import { stocked } from "../../src/ca/random-stock.ts";

test("octets are drawn by the thousand, given once each, and never fewer than were asked for", () => {
  const drawn: number[] = [];
  let next = 0;
  const random = stocked((bytes) => {
    drawn.push(bytes);
    return Uint8Array.from({ length: bytes }, () => next++ % 251);
  });
  expect([...random(3), ...random(2)]).toEqual([0, 1, 2, 3, 4]);
  for (let taken = 5; taken < 4096 - 8; taken += 8) random(8);
  expect(drawn).toEqual([4096]);
  // What is left is fewer than these.
  expect(random(16)).toEqual(Uint8Array.from({ length: 16 }, (_, index) => (4096 + index) % 251));
  expect(random(5000)).toHaveLength(5000);
  expect(drawn).toEqual([4096, 4096, 5000]);
});
