import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { expect, onTestFinished, test } from "vitest";
import { blocksOf, runScript } from "../api/runbook.ts";

const ROOT = join(import.meta.dirname, "../..");

test("what the page on stages says of connections: the flow that would break, and whose it is", {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "signet-flows-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "bin"));
  const cli = join(ROOT, "src/bin/cli.ts");
  writeFileSync(join(folder, "bin", "signet"), `#!/bin/sh\nexec "${process.execPath}" "${cli}" "$@"\n`);
  chmodSync(join(folder, "bin", "signet"), 0o755);
  symlinkSync(join(ROOT, "test/conformance/data/apps/online-boutique"), join(folder, "deploy"));
  symlinkSync(join(ROOT, "docs/examples/online-boutique"), join(folder, "policy"));
  const blocks = blocksOf("stages.md").filter(({ title }) => title.endsWith("Connections that would break"));
  const path = `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`;
  const ran = await Promise.all(blocks.map(({ script }) => runScript(script, folder, { PATH: path })));
  expect(
    ran.map(({ code, output }) => ({ code, lines: output.split("\n").map((line) => line.split(/ {2,}/)) })),
  ).toEqual([
    {
      code: 3,
      lines: [
        ["flows.jsonl: 1 flows on 1 ways."],
        ["OWNER", "FROM", "TO", "ON", "FLOWS", "WHY"],
        [
          "shop@example.org",
          "default/adservice[Deployment] (role adservice)",
          "default/redis-cart[Deployment] (role redis-cart)",
          "tcp/6379",
          "1",
          "Nothing opens it, and segment boutique is in force (mode enforce).",
        ],
        [""],
      ],
    },
  ]);
});
