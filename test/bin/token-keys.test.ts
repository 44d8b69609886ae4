import { expect, test } from "vitest";
import { makeTokenKeys } from "../../src/bin/issuing/keys.ts";
import { publicTokenKeys, signingKeyAt } from "../../src/ca/tokens/key-set.ts";
import { NOON } from "../fakes/judging.ts";
import { memoryVault } from "../fakes/vault.ts";

/** Two replicas over one vault; the clock that never jumps is moved by hand. */
async function replicas() {
  const clock = { ms: 0 };
  const vault = memoryVault();
  const make = () => makeTokenKeys(vault, { now: () => NOON, monotonic: () => clock.ms });
  const [writer, reader] = [make(), make()];
  await writer.advance();
  await reader.refresh();
  return { clock, vault, writer, reader };
}

test("keys that are condemned are recorded first, and gone for every replica that reads", async () => {
  const { vault, writer, reader } = await replicas();
  const [stolen] = writer.current();
  const told: unknown[] = [];
  const record = async (kids: readonly string[]): Promise<void> => {
    told.push(kids, (await vault.read()).text?.includes(kids[0] ?? "-"));
    await Promise.resolve();
  };
  expect(await writer.condemn(record)).toEqual({ ok: true, value: undefined });
  await reader.refresh();
  expect(told).toEqual([[stolen?.kid], true]);
  const [made] = publicTokenKeys(writer.current());
  expect(publicTokenKeys(reader.current())).toEqual([made]);
  expect(made?.kid).not.toBe(stolen?.kid);
  expect(signingKeyAt(reader.current(), NOON)?.kid).toBe(made?.kid);
  expect((await vault.read()).text).not.toContain(stolen?.kid);
});

test("what cannot be recorded is not done, and neither is what another has changed meanwhile", async () => {
  const { vault, writer } = await replicas();
  const before = writer.current();
  await expect(writer.condemn(() => Promise.reject(new Error("disk full")))).rejects.toThrow("disk full");
  vault.lose = true;
  expect(await writer.condemn(() => Promise.resolve())).toMatchObject({
    ok: false,
    problems: [{ code: "API_CONFLICT", message: "Somebody else changed the keys." }],
  });
  expect(writer.current()).toEqual(before);
});

test("a replica that has not read them for five minutes has no keys: one may have been stolen since", async () => {
  const { clock, reader } = await replicas();
  clock.ms = 5 * 60_000;
  expect(reader.current()).toHaveLength(1);
  clock.ms += 1;
  expect(reader.current()).toEqual([]);
  await reader.refresh();
  expect(reader.current()).toHaveLength(1);
});
