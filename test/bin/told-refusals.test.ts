import { expect, test } from "vitest";
import { ToldRefusals } from "../../src/bin/cluster/signer/told-refusals.ts";
import type { ProblemCode } from "../../src/domain/problem-codes.ts";
import { NOON } from "../fakes/judging.ts";

const refusal = (code: ProblemCode) =>
  ({
    at: NOON,
    door: "podCertificateRequest",
    caller: "system:node:n1",
    subject: "Pod web/p",
    outcome: "refused",
    code,
    message: "No.",
  }) as const;

test("the ledger has each reason of a waiting request once, until nothing is left to be done about it", async () => {
  const refusals = new ToldRefusals();
  const ledger: string[] = [];
  const look = (uid: string, code: ProblemCode) =>
    refusals.recordFor(uid, async () => void ledger.push(`${uid} ${code}`))(refusal(code));
  for (const code of ["ROLE_NONE", "IDENTITY_RESTRICTED", "ROLE_NONE"] as const) await look("a", code);
  await look("b", "ROLE_NONE");
  expect(ledger.splice(0)).toEqual(["a ROLE_NONE", "a IDENTITY_RESTRICTED", "b ROLE_NONE"]);
  refusals.forget("a");
  for (const uid of ["a", "b"]) await look(uid, "ROLE_NONE");
  expect(ledger).toEqual(["a ROLE_NONE"]);
});

test("a refusal that the ledger could not take is written at the next look", async () => {
  const refusals = new ToldRefusals();
  const full = refusals.recordFor("a", () => Promise.reject(new Error("the disk is full")));
  await expect(full(refusal("ROLE_NONE"))).rejects.toThrow("the disk is full");
  let written = 0;
  await refusals.recordFor("a", async () => void (written += 1))(refusal("ROLE_NONE"));
  expect(written).toBe(1);
});
