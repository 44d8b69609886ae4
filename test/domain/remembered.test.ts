import { expect, test } from "vitest";
import { Forgetful } from "../../src/domain/remembered.ts";

test("what is full forgets all it has, and takes the next", () => {
  const known = new Forgetful<number, string>();
  for (let number = 0; number < Forgetful.MOST; number += 1) known.set(number, "x");
  expect([known.size, known.get(0)]).toEqual([Forgetful.MOST, "x"]);
  known.set(Forgetful.MOST, "y");
  expect([...known]).toEqual([[Forgetful.MOST, "y"]]);
});
