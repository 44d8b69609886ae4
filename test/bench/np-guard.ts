import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { sourcesFromEnvironment } from "../cluster/binaries.ts";
import { hasGo } from "../cluster/go-build.ts";
import { whileLocked } from "../cluster/lock.ts";

const MODULE = "github.com/np-guard/netpol-analyzer";
const FOLDER = join(import.meta.dirname, "np-guard");
const FLAGS = ["build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"];

/** The path of np-guard's analyzer, built from its Go module into the cache of the test cluster when first asked. */
export async function npGuard(env: NodeJS.ProcessEnv, log: (line: string) => void): Promise<string> {
  const { cache } = sourcesFromEnvironment(env);
  const folder = join(cache, cacheKey());
  const binary = join(folder, "netpolicy");
  if (existsSync(binary)) return binary;
  if (!hasGo()) throw new Error("np-guard's analyzer is not in the cache, and there is no `go` to build it with.");
  const waiting = () => log("another process is building; waiting for it");
  await whileLocked(join(cache, "building.lock"), waiting, async () => {
    if (existsSync(binary)) return;
    log(`building ${MODULE}/cmd/netpolicy from its Go module (minutes the first time)`);
    await build(folder, binary, env);
  });
  return binary;
}

/** The name of the cache folder: it changes whenever what would be built changes. */
function cacheKey(): string {
  const digest = createHash("sha256").update(FLAGS.join(" "));
  for (const file of ["go.mod", "go.sum", "tools.go"])
    digest.update(`\0${file}\0`).update(readFileSync(join(FOLDER, file)));
  return ["np-guard", process.platform, process.arch, digest.digest("hex").slice(0, 12)].join("-");
}

async function build(folder: string, binary: string, env: NodeJS.ProcessEnv): Promise<void> {
  const unfinished = join(folder, `unfinished-${process.pid}`);
  mkdirSync(unfinished, { recursive: true });
  try {
    const partial = join(unfinished, "netpolicy");
    await promisify(execFile)("go", [...FLAGS, "-o", partial, `${MODULE}/cmd/netpolicy`], {
      cwd: FOLDER,
      env: { ...env, CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off", GOTMPDIR: unfinished },
    });
    renameSync(partial, binary);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
