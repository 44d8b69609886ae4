import { expect, test } from "vitest";
import { accepted, kubectlDone } from "./accepted.ts";
import type { ApiAnswer } from "./api.ts";

/** A server that gives these answers one after another, and then the last for ever. */
function answering(...answers: readonly (ApiAnswer | Error)[]) {
  const asked: string[] = [];
  const request = async (method: string, path: string): Promise<ApiAnswer> => {
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push(`${method} ${path}`);
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error("no answer");
    return answer;
  };
  return { request, asked };
}

const REFUSED = { status: 404, body: { message: "Resource kind not found" } };
const TAKEN = { status: 201, body: { kind: "Segment" } };
const EXISTS = { status: 409, body: { reason: "AlreadyExists" } };

test("a write is made again until it is taken", async () => {
  const server = answering(REFUSED, REFUSED, TAKEN);
  expect(await accepted(server, "POST", "/a")).toEqual({ kind: "Segment" });
  expect(server.asked).toEqual(["POST /a", "POST /a", "POST /a"]);
});

test("a creation whose answer was lost counts as done when the object is there", async () => {
  expect(await accepted(answering(new Error("reset"), EXISTS), "POST", "/a")).toEqual(EXISTS.body);
});

test("kubectl is run again until it ends well", async () => {
  const codes = [1, 1, 0];
  const kubectl = async () => ({ code: codes.shift() ?? 0, stdout: "done", stderr: "refused" });
  expect(await kubectlDone({ kubectl }, ["apply"])).toBe("done");
  expect(codes).toEqual([]);
});
