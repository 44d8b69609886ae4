import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import type { BinaryName, GoModule } from "./recipes.ts";

/** Where the official releases lie; a mirror keeps the paths below. What is not named here is always built. */
export type Mirrors = Readonly<Record<"kubernetes" | "etcd", string>>;

/** The projects' own release sites. */
export const OFFICIAL: Mirrors = {
  kubernetes: "https://dl.k8s.io/release",
  etcd: "https://github.com/etcd-io/etcd/releases/download",
};

/** Being offline must cost less than this. */
const REACH_MS = 2_500;
const TRANSFER_MS = 600_000;
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/**
 * Fetches one official release binary to `target` and checks it against the published SHA-256.
 * Throws with the reason when the platform has no release, the site cannot be reached in 2.5 s, or the sum differs.
 */
export async function download(
  name: BinaryName,
  module: GoModule,
  version: string,
  mirrors: Mirrors,
  target: string,
): Promise<void> {
  const arch = ARCHITECTURES[process.arch];
  if (process.platform !== "linux" || arch === undefined) {
    throw new Error(`no official release for ${process.platform}/${process.arch}`);
  }
  const { folder } = module;
  if (!isReleased(folder)) throw new Error("this cluster's own choice of modules is released nowhere");
  const base = `${mirrors[folder]}/${version}`;
  const bytes = await (folder === "etcd" ? etcd(base, version, arch) : kubernetes(base, name, arch));
  await writeFile(target, bytes);
  await chmod(target, 0o755);
}

/** Whether a module's binaries are looked for at a release site at all. */
export function isReleased(folder: GoModule["folder"]): folder is keyof Mirrors {
  return folder === "kubernetes" || folder === "etcd";
}

async function kubernetes(base: string, name: BinaryName, arch: string): Promise<Buffer> {
  const url = `${base}/bin/linux/${arch}/${name}`;
  return fetchChecked(url, (await fetchText(`${url}.sha256`)).trim());
}

async function etcd(base: string, version: string, arch: string): Promise<Buffer> {
  const folder = `etcd-${version}-linux-${arch}`;
  const archive = `${folder}.tar.gz`;
  const sums = await fetchText(`${base}/SHA256SUMS`);
  const line = sums.split("\n").find((each) => each.endsWith(` ${archive}`));
  if (line === undefined) throw new Error(`${base}/SHA256SUMS does not list ${archive}`);
  const packed = await fetchChecked(`${base}/${archive}`, line.split(" ")[0] ?? "");
  return unpackOne(packed, `${folder}/etcd`);
}

async function fetchText(url: string): Promise<string> {
  return (await fetchBytes(url)).toString("utf8");
}

async function fetchChecked(url: string, sha256: string): Promise<Buffer> {
  const bytes = await fetchBytes(url);
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== sha256) throw new Error(`${basename(url)} has SHA-256 ${found}, published is ${sha256}`);
  return bytes;
}

/** The head of the answer must come within REACH_MS; the body may take longer. */
async function fetchBytes(url: string): Promise<Buffer> {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), REACH_MS);
  try {
    const response = await fetch(url, { signal: abort.signal });
    clearTimeout(timer);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    timer = setTimeout(() => abort.abort(), TRANSFER_MS);
    return Buffer.from(await response.arrayBuffer());
  } catch (cause) {
    throw new Error(`${url}: ${reasonOf(cause)}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** fetch says only "fetch failed"; the reason is one level down. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "AbortError") return "no answer in time";
  return error.cause instanceof Error ? error.cause.message : error.message;
}

async function unpackOne(packed: Buffer, member: string): Promise<Buffer> {
  const tar = spawn("tar", ["-xzOf", "-", member], { stdio: ["pipe", "pipe", "pipe"] });
  const out: Buffer[] = [];
  tar.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  tar.stderr.resume();
  tar.stdin.on("error", () => undefined);
  tar.stdin.end(packed);
  const code = await new Promise<number | null>((resolve, reject) => tar.once("error", reject).once("close", resolve));
  if (code !== 0) throw new Error(`tar cannot unpack ${member} (exit ${code})`);
  return Buffer.concat(out);
}
