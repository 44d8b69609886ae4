import type { Focus } from "../policy/analysis/focus.ts";
import type { Listing } from "../policy/analysis/listing.ts";
import { ok, type Result } from "../domain/problem.ts";
import { listEffective } from "../policy/effective/connectivity.ts";
import type { World } from "../policy/model/world.ts";
import { type InventoryOptions, readInventory } from "./inventory.ts";
import type { Io } from "./io.ts";

/** Lists the connectivity that foreign policies and our own kinds leave open together. */
export function effectiveListing(
  io: Io,
  dirs: readonly string[],
  focus: Focus,
  options: InventoryOptions,
): Result<{ readonly world: World; readonly listing: Listing }> {
  const inventory = readInventory(io, dirs, options);
  if (!inventory.ok) return inventory;
  const { world, intent, endOf } = inventory.value;
  const listing = listEffective({ world, intent, endOf, now: io.now() }, focus, options.multipleNetworks ?? false);
  return ok({ world, listing });
}
