import { expect, test } from "vitest";
import { makeTokenKeys } from "../../src/bin/issuing/keys.ts";
import { publicTokenKeys, signingKeyAt } from "../../src/ca/tokens/key-set.ts";
import { NOON } from "../fakes/judging.ts";
import { memoryVault } from "../fakes/vault.ts";

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Two replicas over one vault, whose answers a test may change; the clock that never jumps is moved by hand. */
async function replicas() {
  const clock = { ms: 0 };
  const vault: Mutable<ReturnType<typeof memoryVault>> = memoryVault();
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
  const told: unknown[] = [];
  const record = (...line: unknown[]) => Promise.resolve(void told.push(line));
  expect(await writer.condemn(record)).toMatchObject({
    ok: false,
    problems: [{ code: "API_CONFLICT", message: "Somebody else changed the keys." }],
  });
  expect(writer.current()).toEqual(before);
  const kids = before.map(({ kid }) => kid);
  expect(told).toEqual([[kids], [kids, { lost: true }]]);
});

test("of a write without an answer the ledger says that it was lost only where it was", async () => {
  const { vault, writer } = await replicas();
  const kids = writer.current().map(({ kid }) => kid);
  const told: unknown[] = [];
  const record = (...line: unknown[]) => Promise.resolve(void told.push(line));
  const { write } = vault;
  vault.write = () => Promise.reject(new Error("no answer"));
  await expect(writer.condemn(record)).rejects.toThrow("no answer");
  expect(told.splice(0)).toEqual([[kids], [kids, { lost: true }]]);
  vault.write = async (...what) => {
    await write(...what);
    throw new Error("no answer");
  };
  expect(await writer.condemn(record)).toEqual({ ok: true, value: undefined });
  expect(told).toEqual([[kids]]);
  expect((await vault.read()).text).not.toContain(kids[0]);
});

test("an answer that was on its way while keys were condemned does not bring them back", async () => {
  const { vault, writer } = await replicas();
  const { read } = vault;
  const late = Promise.withResolvers<undefined>();
  vault.read = async () => {
    const kept = await read();
    await late.promise;
    return kept;
  };
  const refreshed = writer.refresh();
  vault.read = read;
  expect((await writer.condemn(() => Promise.resolve())).ok).toBe(true);
  const made = writer.current();
  late.resolve(undefined);
  await refreshed;
  expect(writer.current()).toEqual(made);
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
