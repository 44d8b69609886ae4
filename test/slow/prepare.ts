import process from "node:process";
import { olderServer } from "./older.ts";

await olderServer((line) => process.stderr.write(`${line}\n`));
