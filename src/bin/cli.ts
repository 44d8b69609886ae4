#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import process from "node:process";

// Before anything else is loaded, so that the next start finds all of it compiled.
enableCompileCache();
const { runCommandLine } = await import("./command-line.ts");
// A server lives long and is restarted often: it is spared what only the other commands need.
const commands =
  process.argv[2] === "server"
    ? [(await import("./server-command.ts")).addServerCommand]
    : (await import("./commands.ts")).COMMANDS;
await runCommandLine(commands);
