import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { crdFiles } from "./crds.ts";
import { generatedFiles } from "./files.ts";

const root = join(import.meta.dirname, "..", "..");

test.each([...generatedFiles()])("%s is what the source makes it; mend with `npm run manifests`", (path, text) => {
  expect(readFileSync(join(root, path), "utf8")).toBe(text);
});

test("manifests/crds holds a file for each kind, a kustomization, and no other", () => {
  const there = readdirSync(join(root, "manifests/crds")).map((name) => `manifests/crds/${name}`);
  expect(there.sort()).toEqual([...crdFiles().keys(), "manifests/crds/kustomization.yaml"].sort());
});
