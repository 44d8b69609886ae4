import process from "node:process";
import { type Count, runPart } from "./parts/run-part.ts";
import { PARTS } from "./parts/table.ts";

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !PARTS.some((part) => part.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no part ${unknown.join(", ")}. Parts: ${PARTS.map((part) => part.name).join(", ")}.\n`,
  );
  process.exit(2);
}

const results: { name: string; ceiling: number; count: Count }[] = [];
for (const part of PARTS) {
  const wanted = asked.length > 0 ? asked.includes(part.name) : !part.onRequest || process.env["CI"] === "true";
  if (!wanted) continue;
  process.stdout.write(`\n== ${part.name}: ${part.about}, at most ${part.ceiling} s\n`);
  results.push({ name: part.name, ceiling: part.ceiling, count: await runPart(part) });
}

const total = { passed: 0, failed: 0, skipped: 0 };
process.stdout.write("\npart      seconds  ceiling  passed  failed  skipped\n");
for (const { name, ceiling, count } of results) {
  const cells = [count.seconds.toFixed(1), ceiling, count.passed, count.failed, count.skipped];
  const row = cells.map((cell, index) => String(cell).padStart([9, 9, 8, 8, 9][index] ?? 8)).join("");
  process.stdout.write(`${name.padEnd(8)}${row}${count.why ? `  ${count.why}` : ""}\n`);
  total.passed += count.passed;
  total.failed += count.failed;
  total.skipped += count.skipped;
}
process.stdout.write(`\ntests: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed > 0 ? 1 : 0;
