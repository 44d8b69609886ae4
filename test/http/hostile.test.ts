import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectSecure } from "node:tls";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FakeServices, fakeServices, pod, review, startWeb, type Web } from "../fakes/web.ts";

const LIMITS = {
  bodyBytes: 256 * 1024,
  bodiesBytes: 512 * 1024,
  headerBytes: 16 * 1024,
  connections: 64,
  headersMs: 400,
  requestMs: 500,
  firstRequestMs: 600,
  handshakeMs: 400,
};

let web: Web;
let secure: Web;
beforeAll(async () => {
  web = await startWeb("http", { limits: LIMITS });
  secure = await startWeb("https", { limits: LIMITS });
});
afterAll(async () => {
  await web.stop();
  await secure.stop();
});

/** Sends bytes and gives back what came until the server closed, or until it answered once and then stayed silent. */
function exchange(socket: Socket, bytes: Uint8Array, end = true): Promise<string> {
  return new Promise((resolve) => {
    let came = "";
    const finish = (): void => {
      socket.destroy();
      resolve(came);
    };
    socket.on("data", (chunk: Buffer) => {
      came += chunk.toString("latin1");
    });
    socket.on("close", finish);
    socket.on("error", finish);
    socket.setTimeout(3000, finish);
    socket.write(bytes);
    if (end) socket.end();
  });
}

const dial = (): Socket => connectPlain({ host: "127.0.0.1", port: web.port });
const dialSecure = (): Socket => connectSecure({ host: "127.0.0.1", port: secure.port, ca: secure.authority });

/** The server still gives a right verdict; that is what "it did not crash" means. */
async function stillJudges(one: Web = web): Promise<void> {
  const call = one.request.post("/mutate").type("json");
  const reply = await (one === secure ? call.ca(one.authority) : call).send(review());
  expect(reply.status).toBe(200);
}

const http = (path: string, body: string, headers = ""): Buffer =>
  Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );

const ANSWER_OR_CLOSE = /^$|^HTTP\/1\.1 [2-5]\d\d /;

describe("whatever bytes come, there is an answer or a close", () => {
  test("random bytes on the open port", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        expect(await exchange(dial(), bytes)).toMatch(ANSWER_OR_CLOSE);
      }),
      { numRuns: 60 },
    );
    await stillJudges();
  });

  test("random bytes instead of a TLS handshake", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400 }), async (bytes) => {
        const socket = connectPlain({ host: "127.0.0.1", port: secure.port });
        expect((await exchange(socket, bytes)).length).toBeLessThan(2000);
      }),
      { numRuns: 30 },
    );
    await stillJudges(secure);
  });

  test("random bytes inside TLS", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        expect(await exchange(dialSecure(), bytes)).toMatch(ANSWER_OR_CLOSE);
      }),
      { numRuns: 20 },
    );
    await stillJudges(secure);
  });

  test("real requests with bytes changed, lost or doubled", async () => {
    const real = http("/validate?timeout=10s", JSON.stringify(review()));
    const change = fc.record({
      at: fc.nat({ max: real.length - 1 }),
      cut: fc.nat({ max: 40 }),
      insert: fc.uint8Array({ maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        let bytes: Buffer = real;
        for (const { at, cut, insert } of changes)
          bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + cut)]);
        expect(await exchange(dial(), bytes)).toMatch(ANSWER_OR_CLOSE);
      }),
      { numRuns: 120 },
    );
    await stillJudges();
  });

  test("any JSON as a body: 200 with the uid, or a problem", async () => {
    await fc.assert(
      fc.asyncProperty(fc.json({ maxDepth: 6 }), async (body) => {
        const reply = await web.request.post("/validate").type("json").send(body);
        expect([200, 400]).toContain(reply.status);
      }),
      { numRuns: 80 },
    );
  });

  test("any JSON in the place of any field of a review: an answer with a verdict or a problem, never a fault", async () => {
    const places = [
      ["uid"],
      ["kind"],
      ["kind", "group"],
      ["operation"],
      ["namespace"],
      ["userInfo"],
      ["userInfo", "groups"],
      ["object"],
      ["object", "metadata"],
      ["object", "metadata", "labels"],
      ["object", "metadata", "annotations"],
      ["object", "metadata", "ownerReferences"],
      ["object", "spec"],
      ["object", "spec", "serviceAccountName"],
      ["object", "spec", "containers"],
      ["object", "spec", "containers", "0"],
      ["object", "spec", "volumes"],
      ["oldObject"],
      ["dryRun"],
      ["subResource"],
    ];
    const services: FakeServices = web.services;
    services.said.length = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...places),
        fc.jsonValue({ maxDepth: 4 }),
        fc.constantFrom("CREATE", "UPDATE"),
        fc.constantFrom("/mutate", "/validate"),
        async (place, value, operation, path) => {
          const body = JSON.parse(
            JSON.stringify(review({ operation, oldObject: operation === "UPDATE" ? pod() : null })),
          ) as {
            request: Record<string, unknown>;
          };
          put(body.request, place, value);
          const reply = await web.request.post(path).type("json").send(body);
          expect([200, 400]).toContain(reply.status);
        },
      ),
      { numRuns: 300 },
    );
    expect(services.said.filter(({ level }) => level === "error")).toEqual([]);
  });

  test("nesting a hundred thousand deep", async () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    const reply = await web.request.post("/validate").type("json").send(deep);
    expect(reply.status).toBe(400);
    const old = JSON.stringify(review({ operation: "UPDATE", object: "@", oldObject: "@" }));
    const object = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"},"spec":{"serviceAccountName":"cart","x":${deep.slice(50_000, -50_000)}}}`;
    const both = await web.request.post("/validate").type("json").send(old.replaceAll('"@"', object));
    expect(both.status).toBe(200);
    await stillJudges();
  });

  test("keys that name the prototype change nothing", async () => {
    const body = JSON.stringify(review()).replace('"app":"cart"', '"__proto__":{"polluted":"yes"},"constructor":"x"');
    const reply = await web.request.post("/validate").type("json").send(body);
    expect(reply.status).toBe(200);
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });

  test("a body that is not UTF-8, or begins with a byte order mark", async () => {
    const text = JSON.stringify(review());
    const latin = Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xff, 0xfe]), Buffer.from("}")]);
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]);
    for (const body of [latin, marked]) {
      const head = `POST /validate HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
      const came = await exchange(dial(), Buffer.concat([Buffer.from(head), body]), false);
      expect(came).toMatch(/^HTTP\/1\.1 400 .*"code":"REVIEW_INVALID"/s);
    }
  });
});

describe("nobody takes more than the limits allow", () => {
  test("headers that are too large get 431 and a close", async () => {
    const came = await exchange(dial(), http("/validate", "{}", `X-Long: ${"x".repeat(32 * 1024)}\r\n`), false);
    expect(came).toMatch(/^HTTP\/1\.1 431 /);
  });

  test("a declared length above the limit is refused before a byte of the body is read", async () => {
    const head =
      "POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n";
    const came = await exchange(dial(), Buffer.from(head), false);
    expect(came).toMatch(/^HTTP\/1\.1 413 .*Connection: close/s);
  });

  test("a chunked body is refused as soon as it passes the limit", async () => {
    const head =
      "POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const came = await exchange(dial(), Buffer.from(head + chunk.repeat(6)), false);
    expect(came).toMatch(/^(HTTP\/1\.1 413 |$)/);
  });

  test("bodies of many connections together stay below a limit; the rest get 503", async () => {
    const head =
      "POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 200000\r\n\r\n";
    const replies = await Promise.all(
      Array.from({ length: 6 }, () => exchange(dial(), Buffer.from(head + "x".repeat(190_000)), false)),
    );
    expect(replies.filter((reply) => reply.startsWith("HTTP/1.1 503 ")).length).toBeGreaterThan(0);
    await stillJudges();
  });

  test("a caller that sends a byte now and then is closed", async () => {
    const socket = dial();
    const dripping = setInterval(() => socket.write("X"), 100);
    const started = Date.now();
    const came = await exchange(socket, Buffer.from("POST /validate HTTP/1.1\r\nHost: x\r\nX-Slow: "), false);
    clearInterval(dripping);
    expect(came).toMatch(/^(HTTP\/1\.1 408 |$)/);
    expect(Date.now() - started).toBeLessThan(2500);
  });

  test("a caller that says nothing is closed, with TLS and without", async () => {
    const started = Date.now();
    const silent = [dial(), dialSecure(), connectPlain({ host: "127.0.0.1", port: secure.port })];
    await Promise.all(silent.map((socket) => exchange(socket, Buffer.alloc(0), false)));
    expect(Date.now() - started).toBeLessThan(2500);
  });

  test("a body that stops half way is closed, and what it held is given back", async () => {
    const head =
      "POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 250000\r\n\r\n";
    for (let round = 0; round < 3; round++) {
      const sockets = [dial(), dial()];
      for (const socket of sockets) socket.write(head + "x".repeat(200_000));
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const reply = await web.request
      .post("/validate")
      .type("json")
      .send(JSON.stringify(review({ object: pod({ annotations: { pad: "x".repeat(200_000) } }) })));
    expect(reply.status).toBe(200);
  });

  test("a half-closed connection still gets its answer", async () => {
    expect(await exchange(dial(), http("/mutate", JSON.stringify(review())))).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("requests smuggled by two lengths are refused", async () => {
    const twice =
      "POST /validate HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /";
    expect(await exchange(dial(), Buffer.from(twice))).toMatch(/^HTTP\/1\.1 400 /);
  });

  test("more connections than the limit are not taken, and those that are there go on", async () => {
    const many = Array.from({ length: 80 }, dial);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(many.filter((socket) => socket.destroyed || socket.readableEnded).length).toBeGreaterThan(0);
    for (const socket of many) {
      socket.on("error", () => undefined);
      socket.destroy();
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    await stillJudges();
  });

  test("warnings about bad requests carry nothing of what was sent", async () => {
    const services = fakeServices();
    const one = await startWeb("http", {}, services);
    await one.request
      .post("/validate")
      .type("json")
      .set("Authorization", "Bearer s3cret-token")
      .send('{"password":"s3cret-body"}');
    await one.stop();
    expect(JSON.stringify(services.said)).not.toContain("s3cret");
  });
});

function put(object: Record<string, unknown>, place: readonly string[], value: unknown): void {
  let at: Record<string, unknown> = object;
  for (const step of place.slice(0, -1)) {
    const next = at[step];
    if (typeof next !== "object" || next === null) return;
    at = next as Record<string, unknown>;
  }
  at[place.at(-1) ?? ""] = value;
}
