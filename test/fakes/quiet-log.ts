import type { Log } from "../../src/kube/log.ts";

const nothing = (): void => undefined;

/** A log that nobody reads. */
export const quietLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
