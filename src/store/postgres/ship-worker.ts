import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { LocalLedger } from "./local-ledger.ts";
import type { DatabaseSettings } from "./settings.ts";
import { type Progress, Shipper } from "./shipper.ts";

/** What the thread that copies is started with. */
export type ShipData = { readonly path: string; readonly settings: DatabaseSettings };

/** What it says: how far it is, and when it has ended because it was told to. */
export type FromShipper = Progress | { readonly ended: true };

const NICENESS = 10;

setPriority(0, NICENESS);
const { path, settings } = workerData as ShipData;
const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
const say = (said: FromShipper): void => parentPort?.postMessage(said);
const local = new LocalLedger(path);
const shipper = new Shipper({ local, settings, told: say, pause, random: Math.random });
parentPort?.once("message", () => shipper.end());
await shipper.run();
local.close();
say({ ended: true });
