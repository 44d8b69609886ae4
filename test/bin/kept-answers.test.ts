import { expect, test } from "vitest";
import type { Answer } from "../../src/bin/cluster/signer/answer.ts";
import { KeptAnswers } from "../../src/bin/cluster/signer/kept-answers.ts";
import { NOON } from "../fakes/judging.ts";

/** Answers, each with a number of its own. */
function numbered(outcome: "issued" | "denied" | "wait" = "issued") {
  let count = 0;
  return (): Promise<Answer> => {
    count += 1;
    const reason = String(count);
    return Promise.resolve(
      outcome === "wait" ? { do: "wait", reason, message: "" } : { do: "write", status: {}, outcome, reason },
    );
  };
}

const GROUND = { revision: "7", authority: "aa", now: NOON };

test("the certificate of a request is the same at each try, until its ground changes or it begins too long ago", async () => {
  const [kept, make] = [new KeptAnswers(), numbered()];
  const on = async (more: Partial<typeof GROUND> = {}, uid = "a") =>
    (await kept.answerTo(uid, { ...GROUND, ...more }, make)).reason;
  expect([await on(), await on(), await on({}, "b")]).toEqual(["1", "1", "2"]);
  expect([await on({ now: NOON + 119_999 }), await on({ now: NOON + 120_000 })]).toEqual(["1", "3"]);
  expect([await on({ revision: "8" }), await on({ authority: "bb" }), await on({ authority: "bb" })]).toEqual([
    "4",
    "5",
    "5",
  ]);
  kept.forget("a");
  expect([await on(), await on({}, "b")]).toEqual(["6", "2"]);
  kept.forgetAll();
  expect([await on(), await on({}, "b")]).toEqual(["7", "8"]);
});

test("one that was being made when a Restriction came is not handed in again", async () => {
  const [kept, make] = [new KeptAnswers(), numbered()];
  const meanwhile = kept.answerTo("a", GROUND, async () => {
    kept.forgetAll();
    return make();
  });
  expect([(await meanwhile).reason, (await kept.answerTo("a", GROUND, make)).reason]).toEqual(["1", "2"]);
});

test.each(["denied", "wait"] as const)("what ends with %s is judged anew each time", async (outcome) => {
  const [kept, make] = [new KeptAnswers(), numbered(outcome)];
  const reasons = [await kept.answerTo("a", GROUND, make), await kept.answerTo("a", GROUND, make)];
  expect(reasons.map(({ reason }) => reason)).toEqual(["1", "2"]);
});
