import process from "node:process";
import { beginPart, type Count, type Running, runPart } from "./parts/run-part.ts";
import { type Part, PARTS } from "./parts/table.ts";

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !PARTS.some((part) => part.name === name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no part ${unknown.join(", ")}. Parts: ${PARTS.map((part) => part.name).join(", ")}.\n`,
  );
  process.exit(2);
}

const wanted = PARTS.filter((part) =>
  asked.length > 0 ? asked.includes(part.name) : !part.onRequest || process.env["CI"] === "true",
);
const heading = ({ name, about, ceiling }: Part): string => `\n== ${name}: ${about}, at most ${ceiling} s\n`;
const results: { name: string; ceiling: number; count: Count }[] = [];
const begun: { part: Part; running: Running }[] = [];
for (const part of wanted.filter(({ beside }) => beside)) {
  process.stdout.write(`${heading(part)}(begun, and collected last)\n`);
  begun.push({ part, running: await beginPart(part) });
}
for (const part of wanted.filter(({ beside }) => !beside)) {
  process.stdout.write(heading(part));
  results.push({ name: part.name, ceiling: part.ceiling, count: await runPart(part) });
}
for (const { part, running } of begun) {
  process.stdout.write(heading(part));
  const count = await running.count;
  process.stdout.write(running.output());
  results.push({ name: part.name, ceiling: part.ceiling, count });
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
