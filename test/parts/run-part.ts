import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { ensureCommands } from "./packages.ts";
import { type Part, SPECIAL_FOLDERS } from "./table.ts";

/** What came of a part. `why` says what was missing where it could not run. */
export type Count = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly why?: string;
};

/** A part that has begun: what will come of it, and what it has said so far. */
export type Running = { readonly count: Promise<Count>; readonly output: () => string };

/** Runs one part within its ceiling. A part that cannot run is one named skip; in CI it is a failure. */
export async function runPart(part: Part): Promise<Count> {
  return (await prepare(part)) ?? measured(part, "inherit");
}

/** Prepares a part and begins it; what it says is kept, so that it does not mix with what others say. */
export async function beginPart(part: Part): Promise<Running> {
  const cannot = await prepare(part);
  if (cannot) return { count: Promise.resolve(cannot), output: () => "" };
  const folder = mkdtempSync(join(tmpdir(), `signet-tests-${part.name}-`));
  const file = join(folder, "output");
  const descriptor = openSync(file, "w");
  const count = measured(part, descriptor).finally(() => closeSync(descriptor));
  const output = (): string => {
    const text = readFileSync(file, "utf8");
    rmSync(folder, { recursive: true });
    return text;
  };
  return { count, output };
}

/** Makes what the part needs; gives what came of it where it cannot run. */
async function prepare(part: Part): Promise<Count | undefined> {
  const missing = ensureCommands(part.commands ?? []);
  if (missing.length > 0) return cannotRun(`${missing.join(", ")} missing`);
  if (!part.prepare) return undefined;
  const made = await run(part.prepare.command, part.prepare.ceiling, "inherit");
  return made === 0 ? undefined : cannotRun(`${part.prepare.command.join(" ")} ended with ${made}`);
}

async function measured(part: Part, output: Output): Promise<Count> {
  const began = Date.now();
  const count = part.scripts ? await runScripts(part, output) : await runFolders(part, output);
  return { ...count, seconds: (Date.now() - began) / 1000 };
}

function cannotRun(why: string): Count {
  const inCi = process.env["CI"] === "true";
  return { passed: 0, failed: inCi ? 1 : 0, skipped: inCi ? 0 : 1, seconds: 0, why };
}

type Counted = Omit<Count, "seconds">;
/** Where a part's output goes: with ours, or to an open file. */
type Output = "inherit" | number;

async function runScripts(part: Part, output: Output): Promise<Counted> {
  let passed = 0;
  let failed = 0;
  const until = Date.now() + part.ceiling * 1000;
  for (const script of part.scripts ?? []) {
    const code = await run(["npm", "run", "-s", script], (until - Date.now()) / 1000, output);
    if (code === 0) passed++;
    else failed++;
  }
  return { passed, failed, skipped: 0 };
}

async function runFolders(part: Part, output: Output): Promise<Counted> {
  const report = join(tmpdir(), `signet-tests-${process.pid}-${part.name}.json`);
  const vitest = ["node", "node_modules/vitest/vitest.mjs", "run", "--config", "test/vitest.config.ts"];
  const reporters = ["--reporter=dot", "--reporter=json", `--outputFile.json=${report}`];
  const pool = part.pool ? [`--pool=${part.pool}`] : [];
  const code = await run([...vitest, ...pool, ...reporters, ...filesOf(part)], part.ceiling, output);
  try {
    return countOf(JSON.parse(readFileSync(report, "utf8")) as Report, code);
  } catch {
    return {
      passed: 0,
      failed: 1,
      skipped: 0,
      why: `ended after ${part.ceiling} s or without a report (exit ${code})`,
    };
  } finally {
    rmSync(report, { force: true });
  }
}

function filesOf(part: Part): readonly string[] {
  return (part.folders ?? []).flatMap((folder) =>
    folder === "test"
      ? readdirSync(folder, { withFileTypes: true })
          .filter(
            (entry) =>
              !SPECIAL_FOLDERS.includes(entry.name) && (entry.isDirectory() || entry.name.endsWith(".test.ts")),
          )
          .map((entry) => (entry.isDirectory() ? `test/${entry.name}/` : `test/${entry.name}`))
      : [`${folder}/`],
  );
}

type Report = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
  readonly success: boolean;
};

/** A file that could not be loaded counts as a failure, and so does a runner that ended badly with all tests passed. */
function countOf(report: Report, code: number): Counted {
  const failed = report.numFailedTests > 0 ? report.numFailedTests : code === 0 ? 0 : 1;
  return { passed: report.numPassedTests, failed, skipped: report.numPendingTests };
}

/** Runs a command to its end, or ends its whole process group at the ceiling; gives its exit code, 124 at the ceiling. */
function run([command = "", ...args]: readonly string[], seconds: number, output: Output): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", output, output], detached: true });
    const timer = setTimeout(() => end(child.pid), Math.max(seconds, 1) * 1000);
    let ended = false;
    const end = (pid: number | undefined): void => {
      ended = true;
      if (pid !== undefined) process.kill(-pid, "SIGKILL");
    };
    const stop = (): void => end(child.pid);
    process.once("SIGINT", stop);
    child.once("close", (code) => {
      clearTimeout(timer);
      process.removeListener("SIGINT", stop);
      resolve(ended ? 124 : (code ?? 1));
    });
    child.once("error", () => resolve(127));
  });
}
