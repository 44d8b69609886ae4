import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { generatedFiles } from "./files.ts";

const root = join(import.meta.dirname, "..", "..");

test.each([...generatedFiles()])("%s is what the source makes it; mend with `npm run manifests`", (path, text) => {
  expect(readFileSync(join(root, path), "utf8")).toBe(text);
});

test("manifests holds nothing else", () => {
  const there = readdirSync(join(root, "manifests"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  expect(there.sort()).toEqual([...generatedFiles().keys()].filter((path) => path.startsWith("manifests/")).sort());
});
