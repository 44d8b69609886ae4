import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { sourcesFromEnvironment } from "../cluster/binaries.ts";
import { whileLocked } from "../cluster/lock.ts";

const run = promisify(execFile);
const GO = join(import.meta.dirname, "go");
const JAVA = join(import.meta.dirname, "Verify.java");
const GO_FLAGS = ["build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"];

/** Paths of the foreign verifiers: a program of go-spiffe and zlint, and the folder of a Java class. */
export type Judges = { readonly go: string; readonly java: string };

/** The verifiers, built into the cache of the test cluster when first asked; the folder's name follows their sources. */
export async function judges(env: NodeJS.ProcessEnv, log: (line: string) => void): Promise<Judges> {
  const { cache } = sourcesFromEnvironment(env);
  const folder = join(cache, `clients-${process.platform}-${process.arch}-${digest()}`);
  const built: Judges = { go: join(folder, "judge"), java: folder };
  const whole = (): boolean => existsSync(built.go) && existsSync(join(folder, "Verify.class"));
  if (whole()) return built;
  mkdirSync(cache, { recursive: true });
  const waiting = (): void => log("another process is building; waiting for it");
  await whileLocked(join(cache, "building-clients.lock"), waiting, async () => {
    if (whole()) return;
    log("building the foreign verifiers from their modules (a minute the first time)");
    await build(`${folder}.unfinished`, folder, env);
  });
  return built;
}

function digest(): string {
  const hash = createHash("sha256").update(GO_FLAGS.join(" "));
  for (const file of [JAVA, ...["go.mod", "go.sum", "main.go"].map((name) => join(GO, name))])
    hash.update(`\0${file.slice(import.meta.dirname.length)}\0`).update(readFileSync(file));
  return hash.digest("hex").slice(0, 12);
}

async function build(unfinished: string, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  await run("javac", ["-d", unfinished, JAVA]);
  await run("go", [...GO_FLAGS, "-o", join(unfinished, "judge"), "."], {
    cwd: GO,
    env: { ...env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off" },
  });
  rmSync(folder, { recursive: true, force: true });
  renameSync(unfinished, folder);
}
