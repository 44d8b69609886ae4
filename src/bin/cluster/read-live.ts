import type { Lack } from "../../admission/lacks.ts";
import type { Catalogue } from "../../domain/catalogue.ts";
import type { LiveCatalogue } from "../../kube/catalogue.ts";

/** How long a review may wait for what its snapshot lacks, in milliseconds. */
const BUDGET_MS = 50;

/** Reads each object that is lacking and gives the snapshot with all of them; undefined after the budget, or on a fault. */
export async function readLive(
  live: Pick<LiveCatalogue, "lookLive" | "current">,
  lacks: readonly Lack[],
): Promise<Catalogue | undefined> {
  const over = AbortSignal.timeout(BUDGET_MS);
  const late = new Promise<undefined>((resolve) =>
    over.addEventListener("abort", () => resolve(undefined), { once: true }),
  );
  const reading = Promise.all(lacks.map(({ kind, name }) => live.lookLive(kind, { name }))).then(
    () => live.current(),
    () => undefined,
  );
  return Promise.race([reading, late]);
}
