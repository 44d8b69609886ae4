import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { sourcesFromEnvironment } from "../cluster/binaries.ts";
import { whileLocked } from "../cluster/lock.ts";

const run = promisify(execFile);
const GO = join(import.meta.dirname, "go");
const GRPC = join(import.meta.dirname, "go-grpc");
/** The examples that people copy, of which two have to be compiled. */
export const EXAMPLES = join(import.meta.dirname, "../../docs/examples/certificates");
const EXAMPLE_GO = join(EXAMPLES, "go");
const JAVA = [
  join(import.meta.dirname, "Verify.java"),
  ...["Svid", "Server", "Client"].map((name) => join(EXAMPLES, "java", `${name}.java`)),
];
const GO_FLAGS = ["build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"];

/**
 * Paths of the foreign verifiers and of the compiled examples: a program of go-spiffe and zlint, one of grpc-go with Istio's
 * stubs, one of go-spiffe, and the folder of the Java classes.
 */
export type Judges = { readonly go: string; readonly grpc: string; readonly exampleGo: string; readonly java: string };

/** The verifiers, built into the cache of the test cluster when first asked; the folder's name follows their sources. */
export async function judges(env: NodeJS.ProcessEnv, log: (line: string) => void): Promise<Judges> {
  const { cache } = sourcesFromEnvironment(env);
  const folder = join(cache, `clients-${process.platform}-${process.arch}-${digest()}`);
  const built: Judges = {
    go: join(folder, "judge"),
    grpc: join(folder, "create"),
    exampleGo: join(folder, "mtls"),
    java: folder,
  };
  const whole = (): boolean => existsSync(folder);
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
  const goFiles = [GO, GRPC, EXAMPLE_GO].flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  for (const file of [...JAVA, ...goFiles]) hash.update(`\0${basename(file)}\0`).update(readFileSync(file));
  return hash.digest("hex").slice(0, 12);
}

async function build(unfinished: string, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  await run("javac", ["-d", unfinished, ...JAVA]);
  const goEnv = { ...env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off" };
  for (const [cwd, name] of [
    [GO, "judge"],
    [GRPC, "create"],
    [EXAMPLE_GO, "mtls"],
  ] as const)
    await run("go", [...GO_FLAGS, "-o", join(unfinished, name), "."], { cwd, env: goEnv });
  rmSync(folder, { recursive: true, force: true });
  renameSync(unfinished, folder);
}
