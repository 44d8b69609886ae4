import { dirname, join } from "node:path";
import process from "node:process";
import { type BinarySources, findBinaries, type Log, sourcesFromEnvironment } from "../cluster/binaries.ts";

/** The folder with an API server of the minor release before the newest, got or built like the others: see `findBinaries`. */
export async function olderServer(log: Log): Promise<string> {
  const sources = sourcesFromEnvironment(process.env);
  const older: BinarySources = {
    ...sources,
    assets: undefined,
    goFolder: join(import.meta.dirname, "../cluster/older"),
  };
  const found = await findBinaries(["kube-apiserver"], older, log);
  return dirname(found.get("kube-apiserver") ?? "");
}
