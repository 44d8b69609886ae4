import { setTimeout as sleep } from "node:timers/promises";
import type { ApiAnswer } from "./api.ts";
import type { Cluster } from "./boot.ts";

/** How long a write may be refused before the test that needs it fails. */
const PATIENCE_MS = 30_000;
const POLL_MS = 200;

type Requesting = Pick<Cluster, "request">;
type Options = Parameters<Cluster["request"]>[2];

/**
 * A write that a test begins with: made again until the API server takes it, and its answer's body given. Right after a
 * start, and after new kinds or policies, a server refuses for some seconds what it takes later. Throws the last answer
 * after thirty seconds.
 */
export async function accepted(
  cluster: Requesting,
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  options: Options = {},
): Promise<unknown> {
  const deadline = Date.now() + PATIENCE_MS;
  for (let unanswered = false; ; ) {
    const answer = await cluster.request(method, path, options).catch((fault: unknown) => fault);
    if (isAnswer(answer)) {
      if (isTaken(answer) || (unanswered && answer.status === DONE_BEFORE[method])) return answer.body;
    } else unanswered = true;
    if (Date.now() > deadline) throw new Error(`${method} ${path}: ${told(answer)}`);
    await sleep(POLL_MS);
  }
}

/** `accepted` for kubectl, whose commands must be such that doing them twice does no harm; gives what it printed. */
export async function kubectlDone(
  cluster: Pick<Cluster, "kubectl">,
  args: readonly string[],
  options: Parameters<Cluster["kubectl"]>[1] = {},
): Promise<string> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const { code, stdout, stderr } = await cluster.kubectl(args, options);
    if (code === 0) return stdout;
    if (Date.now() > deadline) throw new Error(`kubectl ${args.join(" ")}: exit ${code}: ${stderr}`);
    await sleep(POLL_MS);
  }
}

/** What says, after a try whose answer was lost, that it was done then. */
const DONE_BEFORE: Readonly<Partial<Record<string, number>>> = { POST: 409, DELETE: 404 };

const isAnswer = (answer: unknown): answer is ApiAnswer =>
  typeof answer === "object" && answer !== null && "status" in answer;

const isTaken = ({ status }: ApiAnswer): boolean => status >= 200 && status < 300;

const told = (answer: unknown): string =>
  isAnswer(answer) ? `${answer.status} ${JSON.stringify(answer.body)}` : String(answer);
