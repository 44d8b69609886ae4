import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fakeServices, responseOf, review, startWeb, type Web } from "../fakes/web.ts";

const POST = "HTTP/1.1\r\nHost: signet\r\nContent-Type: application/json\r\nContent-Length:";

/** Sends bodies one behind the other without waiting for answers, and gives status and body of each answer in order. */
function pipelined(port: number, calls: readonly (readonly [path: string, body: string])[]) {
  return new Promise<readonly { readonly status: number; readonly body: unknown }[]>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let pending = "";
    const answers: { status: number; body: unknown }[] = [];
    socket.on("data", (chunk: Buffer) => {
      pending += chunk.toString();
      for (;;) {
        const [head, status, length] = /^HTTP\/1\.1 (\d+)[^]*?Content-Length: (\d+)[^]*?\r\n\r\n/.exec(pending) ?? [];
        if (head === undefined || pending.length < head.length + Number(length)) break;
        const end = head.length + Number(length);
        answers.push({ status: Number(status), body: JSON.parse(pending.slice(head.length, end)) });
        pending = pending.slice(end);
      }
      if (answers.length === calls.length) socket.end(() => resolve(answers));
    });
    socket.on("error", reject);
    socket.write(calls.map(([path, body]) => `POST ${path} ${POST} ${body.length}\r\n\r\n${body}`).join(""));
  });
}

describe("reviews that arrive together", () => {
  let web: Web;
  beforeAll(async () => {
    web = await startWeb("http");
  });
  afterAll(() => web.stop());

  test("are answered each for itself, with what is no review among them", async () => {
    const uids = Array.from({ length: 90 }, (_, index) => `uid-${index}`);
    const isReview = (index: number): boolean => index % 9 !== 0;
    const stamps = (index: number): boolean => index % 2 === 0;
    const answers = await pipelined(
      web.port,
      uids.map((uid, index) => [
        stamps(index) ? "/mutate" : "/validate",
        JSON.stringify(isReview(index) ? review({ uid }) : { uid }),
      ]),
    );
    const said = answers.map(({ status, body }) => {
      if (status !== 200) return [status, (body as { code: string }).code];
      const { uid, patch } = responseOf(body);
      return [status, uid, patch !== undefined];
    });
    expect(said).toEqual(
      uids.map((uid, index) => (isReview(index) ? [200, uid, stamps(index)] : [400, "REVIEW_INVALID"])),
    );
    expect(web.services.recorded.map(({ request }) => request.uid)).toEqual(uids.filter((_, index) => isReview(index)));
  });

  test("and a fault in judging one of them leaves the others alone", async () => {
    const services = fakeServices();
    let asked = 0;
    const catalogue = () => {
      asked += 1;
      if (asked === 2) throw new Error("a fault of ours");
      return services.catalogue();
    };
    const faulty = await startWeb("http", {}, { ...services, catalogue });
    const body = JSON.stringify(review());
    const answers = await pipelined(
      faulty.port,
      [1, 2, 3].map(() => ["/mutate", body] as const),
    );
    await faulty.stop();
    expect(answers.map(({ status }) => status)).toEqual([200, 500, 200]);
  });
});
