import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { judges } from "../clients/judges.ts";
import { sourcesFromEnvironment } from "../cluster/binaries.ts";
import type { Image } from "../cluster/node/image.ts";
import { standinMembers } from "../cluster/node/images.ts";
import type { Member } from "../cluster/node/tar.ts";
import { commandInPath } from "../cluster/reaper.ts";

const run = promisify(execFile);

/** The image for Pods that call by foreign implementations: openssl, go-spiffe and Java, with a small shell. */
export const CLIENTS_IMAGE = "lab.local/clients:1";

/** Makes it of what this machine has; `bin` is the folder with the node's programs. */
export async function clientsImage(bin: string): Promise<Image> {
  const [built, openssl, jre] = [await judges(process.env, () => undefined), commandInPath("openssl"), await runtime()];
  if (openssl === undefined) throw new Error("openssl is missing: install Debian's openssl");
  const classes = readdirSync(built.java).filter((name) => name.endsWith(".class"));
  const jreFiles = filesBelow(jre);
  const programs = [openssl, ...jreFiles.filter((file) => /\/bin\/java$|\.so$/.test(file))];
  const libraries = new Set(
    (await Promise.all(programs.map(librariesOf))).flat().filter((file) => !file.startsWith(jre)),
  );
  const members = [
    ...(await standinMembers((name) => join(bin, name))),
    file("bin/openssl", openssl),
    file("bin/mtls", built.exampleGo),
    ...classes.map((name) => file(`classes/${name}`, join(built.java, name))),
    ...jreFiles.map((path) => file(`java${path.slice(jre.length)}`, path)),
    ...[...libraries].map((path) => file(path.slice(1), path)),
  ];
  return { reference: CLIENTS_IMAGE, members, entrypoint: [], env: { PATH: "/bin:/java/bin" } };
}

const file = (name: string, path: string): Member => ({ name, data: readFileSync(path), mode: 0o755 });

/** The part of Java that the example needs, linked into the cache once; its name follows the JDK's version. */
async function runtime(): Promise<string> {
  const version = (await run("jlink", ["--version"])).stdout.trim();
  const folder = join(sourcesFromEnvironment(process.env).cache, `java-${version}-${process.arch}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  const modules = "java.base,java.net.http,jdk.crypto.ec,jdk.httpserver";
  await run("jlink", [
    "--add-modules",
    modules,
    "--strip-debug",
    "--no-header-files",
    "--no-man-pages",
    "--output",
    unfinished,
  ]);
  rmSync(join(unfinished, "legal"), { recursive: true, force: true });
  // Another process may have been faster; both made the same.
  if (existsSync(folder)) rmSync(unfinished, { recursive: true });
  else renameSync(unfinished, folder);
  return folder;
}

function filesBelow(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Absolute paths of the shared libraries, and of the loader, that a program is linked with. */
async function librariesOf(path: string): Promise<readonly string[]> {
  const { stdout } = await run("ldd", [path]).catch(() => ({ stdout: "" }));
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].flatMap(([, found]) => found ?? []);
}
