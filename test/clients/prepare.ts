import process from "node:process";
import { judges } from "./judges.ts";

await judges(process.env, (line) => process.stderr.write(`${line}\n`));
