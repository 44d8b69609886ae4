import { startThread } from "../thread.ts";
import type { DatabaseSettings } from "./settings.ts";
import type { FromShipper, ShipData } from "./ship-worker.ts";
import type { Progress } from "./shipper.ts";

/** The copy of a ledger in PostgreSQL, as the server sees it. */
export type LedgerCopy = {
  readonly progress: () => Progress;
  /** Copies what it can within the time, in milliseconds, and ends. The rest is copied after the next start. */
  readonly close: (withinMs: number) => Promise<void>;
};

/** `failed` hears of each new reason why nothing can be copied, `mended` of its end. */
export type CopyTold = { readonly failed: (reason: string) => void; readonly mended: () => void };

/** Begins to copy a ledger, in a thread of its own: nothing waits for PostgreSQL, not even the local file. */
export function copyLedger(path: string, settings: DatabaseSettings, told: CopyTold): LedgerCopy {
  const data: ShipData = { path, settings };
  const worker = startThread("ship-worker", import.meta.url, { workerData: data });
  let progress: Progress = { shipped: 0, behind: 0 };
  const take = (next: Progress): void => {
    if (next.failing !== undefined && next.failing !== progress.failing) told.failed(next.failing);
    if (next.failing === undefined && progress.failing !== undefined) told.mended();
    progress = next;
  };
  const ended = new Promise<void>((resolve) => {
    worker.on("message", (said: FromShipper) => ("ended" in said ? resolve() : take(said)));
    worker.on("error", (fault) => take({ ...progress, failing: String(fault) }));
    worker.on("exit", () => resolve());
  });
  worker.unref();
  return {
    progress: () => progress,
    close: async (withinMs) => {
      worker.postMessage("end");
      const timer = setTimeout(() => void worker.terminate(), withinMs);
      await ended;
      clearTimeout(timer);
      await worker.terminate();
    },
  };
}
