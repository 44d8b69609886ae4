import { readFile } from "node:fs/promises";
import { commandInPath } from "../reaper.ts";
import type { BinaryName } from "../recipes.ts";
import { PAUSE_IMAGE } from "./configs.ts";
import type { Image } from "./image.ts";
import type { Member } from "./tar.ts";

/** The image for Pods of tests: `/bin/standin` answers on the ports it is told, like `tcp/5432`, and a small shell looks around. */
export const STANDIN_IMAGE = "lab.local/standin:1";

const APPLETS = ["sh", "cat", "ls", "sleep", "id", "ip", "true", "grep", "stat", "env"];

/** The images every node has: what holds a Pod together, and the stand-in; `bin` gives the path of a binary. */
export async function baseImages(bin: (name: BinaryName) => string): Promise<readonly Image[]> {
  const members = await standinMembers(bin);
  return [
    { reference: PAUSE_IMAGE, members: [await program("pause", bin("pause"))], entrypoint: ["/bin/pause"] },
    { reference: STANDIN_IMAGE, members, entrypoint: ["/bin/standin"] },
  ];
}

/** What lies in a stand-in's image. */
export async function standinMembers(bin: (name: BinaryName) => string): Promise<readonly Member[]> {
  const busybox = commandInPath("busybox");
  if (busybox === undefined) throw new Error("busybox is missing: install Debian's busybox-static");
  return [
    await program("standin", bin("standin")),
    await program("busybox", busybox),
    ...APPLETS.map((name) => ({ name: `bin/${name}`, link: "busybox" })),
    { name: "etc/passwd", data: Buffer.from("root:x:0:0:root:/:/bin/sh\n") },
    { name: "tmp/.keep", data: Buffer.alloc(0) },
  ];
}

async function program(name: string, path: string): Promise<Member> {
  return { name: `bin/${name}`, data: await readFile(path), mode: 0o755 };
}
