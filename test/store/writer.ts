import { openLedger } from "../../src/store/ledger.ts";

/** Appends records for ever, and prints the subject of each once its promise has resolved. Ended by kill -9. */
const [, , path = "", round = "0"] = process.argv;
const ledger = await openLedger({
  path,
  version: "test",
  now: Date.now,
  failed: (reason) => process.stderr.write(reason),
});
for (let number = 0; ; number++) {
  const subjects = [0, 1, 2].map((part) => `${round}-${number}-${part}`);
  for (const subject of subjects) ledger.offer({ kind: "verdict", subject, at: Date.now(), body: "{}" });
  await Promise.all(
    subjects.map(async (subject) => {
      await ledger.append([{ kind: "issuance", subject, at: Date.now(), body: "{}" }]);
      process.stdout.write(`${subject}\n`);
    }),
  );
}
