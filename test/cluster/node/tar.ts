/** One member of an archive: a file, or a symbolic link; folders are made of their members' names. */
export type Member =
  | { readonly name: string; readonly data: Buffer; readonly mode?: number }
  | { readonly name: string; readonly link: string };

const BLOCK = 512;

/** A ustar archive that is the same for the same members: owner 0, time 0. Names are at most 100 bytes. */
export function tarOf(members: readonly Member[]): Buffer {
  const folders = new Set(members.flatMap(({ name }) => parentsOf(name)));
  const parts = [...folders].map((name) => header(`${name}/`, "5", 0o755, 0, ""));
  for (const member of members) {
    if ("link" in member) {
      parts.push(header(member.name, "2", 0o777, 0, member.link));
      continue;
    }
    const { data, mode = 0o644 } = member;
    parts.push(header(member.name, "0", mode, data.length, ""), data, Buffer.alloc(paddingOf(data.length)));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function parentsOf(name: string): readonly string[] {
  const steps = name.split("/").slice(0, -1);
  return steps.map((_, index) => steps.slice(0, index + 1).join("/"));
}

const paddingOf = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;
const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;

/** One header block of POSIX.1-1988 (ustar); the sum is taken with its own field full of spaces. */
function header(name: string, type: "0" | "2" | "5", mode: number, size: number, link: string): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`${name}: a name of more than 100 bytes`);
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  block.write(octal(mode, 8) + octal(0, 8) + octal(0, 8) + octal(size, 12) + octal(0, 12), 100, "latin1");
  block.write("        ", 148, "latin1");
  block.write(type, 156, "latin1");
  block.write(link, 157);
  block.write("ustar\x0000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
