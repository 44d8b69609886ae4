import { expect, test } from "vitest";
import { Queue } from "../../src/bin/cluster/signer/queue.ts";

/** A queue whose work ends when the test says so. */
function handled(most: number) {
  const begun: string[] = [];
  const ends = new Map<string, (again: number | undefined) => void>();
  const queue = new Queue(most, performance.now.bind(performance), (key) => {
    begun.push(key);
    return new Promise((resolve) => ends.set(key, resolve));
  });
  return {
    queue,
    begun,
    end: async (key: string, again?: number) => {
      ends.get(key)?.(again);
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}

test("so many are at work at one time, each key once", async () => {
  const { queue, begun, end } = handled(2);
  for (const key of ["a", "b", "c", "a"]) queue.add(key, 0);
  expect(begun).toEqual(["a", "b"]);
  await end("b");
  expect(begun).toEqual(["a", "b", "c"]);
  await end("c");
  expect(begun).toEqual(["a", "b", "c"]);
  await end("a");
  expect([begun, queue.size]).toEqual([["a", "b", "c", "a"], 1]);
  queue.stop();
});

test("what waits for its time gets its turn when all are hurried", async () => {
  const { queue, begun, end } = handled(2);
  queue.add("a", 60_000);
  queue.add("b", 0);
  await end("b", 60_000);
  expect(begun).toEqual(["b"]);
  queue.hurry();
  expect(begun).toEqual(["b", "a", "b"]);
  queue.stop();
});

test("what is asked for again comes at its time", async () => {
  const { queue, begun, end } = handled(1);
  queue.add("a", 0);
  await end("a", 5);
  await expect.poll(() => begun, { timeout: 10_000 }).toEqual(["a", "a"]);
  await end("a");
  expect(queue.size).toBe(0);
});
