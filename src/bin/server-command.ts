import { serverCommand } from "../cli/server.ts";

/** `signet server`. */
export const addServerCommand = serverCommand(async () => (await import("./server.ts")).serve);
