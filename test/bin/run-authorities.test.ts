import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test, vi } from "vitest";
import { runAuthorities } from "../../src/bin/authorities/run-authorities.ts";
import { makeTokenKeys } from "../../src/bin/issuing/keys.ts";
import { type KeyStore, VAULT_KEYS } from "../../src/ca/keys/key-store.ts";
import { PACE } from "../../src/reconcile/authority/pace.ts";
import { PROFILES } from "../fakes/ca.ts";
import { NOON } from "../fakes/judging.ts";
import { quietLog } from "../fakes/quiet-log.ts";
import { memoryVault } from "../fakes/vault.ts";

const ASK = "a".repeat(32);
const HOURS_MS = 3_600_000;

/** Keys outside the vault: what was made, and what was destroyed. */
function countedKeys() {
  const [made, gone]: [string[], string[]] = [[], []];
  const keys: KeyStore = {
    ...VAULT_KEYS,
    make: async (keyType) => {
      const key = await VAULT_KEYS.make(keyType);
      made.push(key.kept);
      return key;
    },
    forget: (kept) => Promise.resolve(void gone.push(kept)),
  };
  return { keys, made, gone };
}

type Parts = Parameters<typeof runAuthorities>[0];

/** Authorities that one ask is put before; resolves with the answer to it. */
async function answerTo(wish: { readonly step: string }, parts: Pick<Parts, "keys" | "tokens" | "record" | "log">) {
  let asked: string | undefined = JSON.stringify({ ask: ASK, wish });
  const answers: string[] = [];
  const running = runAuthorities({
    vault: memoryVault(),
    profiles: PROFILES,
    pace: () => PACE,
    ownRoots: false,
    now: () => NOON,
    monotonic: () => 0,
    random: randomBytes,
    lacking: () => [],
    trustDomain: () => "example.org",
    isWriter: () => true,
    asks: {
      take: () => Promise.resolve(asked),
      answer: (_, text) => {
        asked = undefined;
        return Promise.resolve(void answers.push(text));
      },
    },
    everyMs: HOURS_MS,
    asksEveryMs: 1,
    ...parts,
  });
  onTestFinished(running.stop);
  await running.look();
  await vi.waitFor(() => expect(answers).toHaveLength(1));
  return JSON.parse(answers[0] ?? "") as unknown;
}

test("an ask that fails on its way is answered, once, and the key that was made for it is destroyed", async () => {
  const [{ keys, made, gone }, logged] = [countedKeys(), [] as unknown[][]];
  const answer = await answerTo(
    { step: "csr" },
    {
      keys,
      tokens: makeTokenKeys(memoryVault(), { now: () => NOON, monotonic: () => 0 }),
      record: () => Promise.reject(new Error("disk full")),
      log: { ...quietLog, error: (...line: unknown[]) => void logged.push(line) },
    },
  );
  expect(answer).toEqual({
    ask: ASK,
    problems: [
      {
        code: "INTERNAL",
        path: "",
        message: "The step failed on its way.",
        mend: "The server's log says why; `signet ca status` shows how far it came.",
      },
    ],
  });
  expect(logged).toEqual([[{ err: new Error("disk full") }, "What was asked for could not be followed."]]);
  expect([made.length, gone]).toEqual([1, made]);
});

test("keys for tokens that were condemned in vain are in the ledger as that", async () => {
  const vault = memoryVault();
  const tokens = makeTokenKeys(vault, { now: () => NOON, monotonic: () => 0 });
  await tokens.advance();
  const tokenKeys = tokens.current().map(({ kid }) => kid);
  const lines: unknown[] = [];
  vault.lose = true;
  const record: Parts["record"] = ({ body }) => Promise.resolve(void lines.push(JSON.parse(body)));
  const answer = await answerTo({ step: "condemnTokens" }, { keys: VAULT_KEYS, tokens, record, log: quietLog });
  expect(answer).toMatchObject({ ask: ASK, problems: [{ code: "API_CONFLICT" }] });
  const line = { step: "condemnTokens", authorities: [], sequence: 0, tokenKeys };
  expect(lines).toEqual([line, { ...line, lost: true }]);
});
