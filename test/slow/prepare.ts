import process from "node:process";
import { findBinaries, sourcesFromEnvironment } from "../cluster/binaries.ts";
import { olderServer } from "./older.ts";

const log = (line: string): void => void process.stderr.write(`${line}\n`);
await olderServer(log);
await findBinaries(["cert-manager", "cert-manager-crds"], sourcesFromEnvironment(process.env), log);
