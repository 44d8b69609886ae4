import { Worker, type WorkerOptions } from "node:worker_threads";

/**
 * Starts a thread by its file's name, without extension, beside the file at a URL. A thread knows nothing of its process'
 * cache of compiled code; with one of its own it starts faster, and is smaller by what would compile TypeScript.
 */
export function startThread(name: string, beside: string, options: WorkerOptions): Worker {
  const extension = beside.endsWith(".ts") ? "ts" : "js";
  const entry = new URL(`./${name}.${extension}`, beside).href;
  const code = `require("node:module").enableCompileCache(); void import(${JSON.stringify(entry)});`;
  return new Worker(code, { ...options, eval: true });
}
