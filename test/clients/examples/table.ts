import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { EXAMPLES, type Judges } from "../judges.ts";
import type { Mounted } from "./mounted.ts";
import { type Running, start } from "./programs.ts";
import { temporaryFolder } from "./world.ts";

type Command = (built: Judges) => readonly string[];

/** The examples in a language: command lines without their arguments. */
const LANGUAGES: Readonly<Record<"Node" | "Go" | "Java", { readonly server: Command; readonly client: Command }>> = {
  Node: {
    server: () => [process.execPath, join(EXAMPLES, "node/server.mjs")],
    client: () => [process.execPath, join(EXAMPLES, "node/client.mjs")],
  },
  Go: {
    server: ({ exampleGo }) => [exampleGo, "serve"],
    client: ({ exampleGo }) => [exampleGo, "call"],
  },
  Java: {
    server: ({ java }) => ["java", "-cp", java, "Server"],
    client: ({ java }) => ["java", "-cp", java, "Client"],
  },
};

/** A program that serves HTTPS at a port to the workload of that SPIFFE ID, with what is mounted for it. */
export type Server = (built: Judges, port: number, caller: string, mounted: Mounted) => Running;

/** The examples that call. */
export const CLIENTS = ["Node", "Go", "Java"] as const;

/** Calls a URL twenty times a second, and prints what comes of each. */
export const startClient = (
  language: (typeof CLIENTS)[number],
  built: Judges,
  url: string,
  server: string,
  mounted: Mounted,
): Running => start([...LANGUAGES[language].client(built), url, server, "0.05"], mounted.env);

const inLanguage =
  (language: (typeof CLIENTS)[number]): Server =>
  (built, port, caller, { env }) =>
    start([...LANGUAGES[language].server(built), String(port), caller], env);

/** The examples that serve. */
export const SERVERS: Readonly<Record<"Node" | "Go" | "Java" | "nginx", Server>> = {
  Node: inLanguage("Node"),
  Go: inLanguage("Go"),
  Java: inLanguage("Java"),
  nginx: (_built, port, caller, mounted) => startNginx(mounted, { "8443": port }, caller),
};

/** nginx by the example's configuration, with other places, ports and callers, and the script that reloads it. */
export function startNginx(mounted: Mounted, ports: Readonly<Record<string, number>>, caller: string): Running {
  const folder = temporaryFolder();
  let text = readFileSync(join(EXAMPLES, "nginx/nginx.conf"), "utf8")
    .replaceAll("/var/run/secrets/signet.dev", mounted.folder)
    .replaceAll("spiffe://example.org/ns/web/sa/front", caller);
  for (const written of ["8443", "8080", "9443"]) {
    const port = ports[written];
    // Unless it is asked for, what calls others listens on a socket that nobody knows.
    text = text.replaceAll(`127.0.0.1:${written}`, port === undefined ? `unix:${folder}/unused` : `127.0.0.1:${port}`);
    if (port !== undefined) text = text.replaceAll(`listen ${written} `, `listen 127.0.0.1:${port} `);
  }
  const config = join(folder, "nginx.conf");
  writeFileSync(config, text);
  copyFileSync(join(EXAMPLES, "nginx/spiffe.js"), join(folder, "spiffe.js"));
  const nginx = ["nginx", "-c", config, "-g", `daemon off; pid ${folder}/pid; error_log stderr;`];
  const running = start(nginx, {});
  const reload = startReload(mounted, [...nginx, "-s", "reload"]);
  return { ...running, lines: () => [...running.lines(), ...reload.lines()] };
}

/** Runs the script that tells a program to read its files anew, looking five times a second. */
export const startReload = (mounted: Mounted, command: readonly string[]): Running =>
  start([join(EXAMPLES, "reload-on-rotation.sh"), ...command], { ...mounted.env, RELOAD_SECONDS: "0.2" });
