import { randomBytes } from "node:crypto";
import { AuthorityKeeper, type KeeperParts } from "../../src/ca/authority-keeper.ts";
import { VAULT_KEYS } from "../../src/ca/keys/key-store.ts";
import type { Vault } from "../../src/ca/vault.ts";
import { PACE } from "../../src/reconcile/authority/pace.ts";
import { PROFILES } from "./ca.ts";
import { NOON } from "./judging.ts";

/** A vault in memory; `lose` makes the next write not take place, as if the writer had been killed before it. */
export function memoryVault(): Vault & { text: string | undefined; lose: boolean } {
  let version = 0;
  const vault = {
    text: undefined as string | undefined,
    lose: false,
    read: () => Promise.resolve({ text: vault.text, version: String(version) }),
    write: (text: string, from: string) => {
      if (vault.lose || from !== String(version)) return Promise.resolve(false);
      vault.text = text;
      version += 1;
      return Promise.resolve(true);
    },
  };
  return vault;
}

/** A clock whose two hands a test moves. */
export const handClock = () => ({ wall: NOON, monotonic: 0 });

/** A keeper over a vault, by a clock that a test moves; publication is at once unless a test says otherwise. */
export function keeperOver(
  vault: Vault,
  clock: ReturnType<typeof handClock>,
  more: Partial<KeeperParts> = {},
): AuthorityKeeper {
  const keeper: AuthorityKeeper = new AuthorityKeeper({
    vault,
    trustDomain: "example.org",
    profiles: PROFILES,
    keys: VAULT_KEYS,
    pace: () => PACE,
    ownRoots: true,
    now: () => clock.wall,
    monotonic: () => clock.monotonic,
    random: randomBytes,
    served: () => keeper.current().bundle.sequence,
    lacking: () => [],
    record: () => Promise.resolve(),
    ...more,
  });
  return keeper;
}

/** Lets time pass on both hands. */
export function pass(clock: ReturnType<typeof handClock>, ms: number): void {
  clock.wall += ms;
  clock.monotonic += ms;
}

/** Reads, then works until nothing is left to do now. Gives the steps. */
export async function workAll(keeper: AuthorityKeeper): Promise<readonly string[]> {
  const steps: string[] = [];
  await keeper.refresh();
  for (let next = await keeper.work(); next && steps.length < 20; next = await keeper.work()) steps.push(next.step);
  return steps;
}
