import { expect, test } from "vitest";
import { endOfTurn } from "../../src/bin/issuing/turn.ts";

const nextTurn = () => new Promise((resolve) => void setImmediate(resolve));

test("who waits in one turn goes on at its end, one after the other, and who waits later in the next", async () => {
  const order: string[] = [];
  const wait = (name: string) => endOfTurn().then(() => void order.push(name));
  const first = wait("first").then(() => wait("later"));
  await Promise.resolve();
  const second = wait("second");
  expect(order).toEqual([]);
  await nextTurn();
  expect(order).toEqual(["first", "second"]);
  await Promise.all([first, second]);
  expect(order).toEqual(["first", "second", "later"]);
});
