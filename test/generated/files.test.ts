import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generatedFiles } from "./files.ts";

const root = join(import.meta.dirname, "..", "..");

test.each([...generatedFiles()])("%s is what the source makes it; mend with `npm run manifests`", (path, text) => {
  expect(readFileSync(join(root, path), "utf8")).toBe(text);
});
