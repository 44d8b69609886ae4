import process from "node:process";
import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { type Judges, judges } from "../judges.ts";
import { askOnce, type Holder, OpenConnection, shownBy } from "./openssl.ts";
import { freePort } from "../../fakes/free-port.ts";
import { listening } from "./programs.ts";
import { CLIENTS, type Server, SERVERS, startClient } from "./table.ts";
import { type Account, type Authority, idOf, makeAuthority, mountedFor } from "./world.ts";

const TEST_MS = 60_000;
const POLL = { timeout: 20_000, interval: 100 };
const HELLO = `hello ${idOf("front")}`;

let built: Judges;
beforeAll(async () => {
  built = await judges(process.env, () => undefined);
});

const holder = async (account: Account, by: Authority, trusting: readonly Authority[]): Promise<Holder> => ({
  svid: await by.issueTo(account),
  issuing: by.issuing,
  roots: trusting.map(({ root }) => root).join(""),
});

describe.each(Object.entries(SERVERS))("the %s example as a server", (name, startServer: Server) => {
  test("answers callers through a rotation of the authority, and never strangers", { timeout: TEST_MS }, async () => {
    const [old, next, foreign] = await Promise.all([makeAuthority(), makeAuthority(), makeAuthority()]);
    const port = await freePort();
    const server = await mountedFor("back", old);
    const running = startServer(built, port, idOf("front"), server);
    await listening(port, running);
    const mounts = await Promise.all(CLIENTS.map(() => mountedFor("front", old)));
    const url = `https://localhost:${port}/`;
    const clients = CLIENTS.map((language, at) =>
      startClient(language, built, url, idOf("back"), mounts[at] ?? server),
    );
    const heard = (): readonly string[] => clients.map((each) => each.lines()[0] ?? "");
    await expect.poll(heard, POLL).toEqual(CLIENTS.map(() => HELLO));

    const before = await holder("front", old, [old, next]);
    const open = new OpenConnection(port, before);
    expect(await open.ask()).toBe(HELLO);
    open.begin();
    expect(await askOnce(port, await holder("other", old, [old]))).toBe(REFUSALS[name]?.other);
    expect(await askOnce(port, await holder("front", foreign, [old]))).toBe(REFUSALS[name]?.stranger);
    expect(await shownIssuer(port, before, [old, next])).toBe("old");

    for (const each of [server, ...mounts]) each.write("trust", old.root + next.root);
    const after = await holder("front", next, [old, next]);
    await expect.poll(() => askOnce(port, after), POLL).toBe(HELLO);
    server.write("svid", await next.issueTo("back"));
    for (const each of mounts) each.write("svid", await next.issueTo("front"));
    // Workers of before still take a connection or two when the first of the new ones has answered.
    for (let asked = 0; asked < 5; asked++)
      await expect.poll(() => shownIssuer(port, after, [old, next]), POLL).toBe("next");
    for (const each of [server, ...mounts]) each.write("trust", next.root);
    await expect.poll(() => askOnce(port, before), POLL).toBe(REFUSALS[name]?.stranger);
    expect(await askOnce(port, after)).toBe(HELLO);
    expect(await open.finish()).toBe(HELLO);

    await Promise.all(clients.map((each) => each.stop()));
    const calls = clients.flatMap((each) => each.lines());
    expect(calls.filter((line) => line !== HELLO)).toEqual([]);
    expect(calls.length).toBeGreaterThan(3 * 10);
  });
});

/** What another workload of the trust domain is told, and who shows a certificate of another authority. */
const REFUSALS: Readonly<Record<string, { readonly other: string; readonly stranger: string }>> = {
  Node: { other: `not for ${idOf("other")}`, stranger: "refused" },
  Go: { other: "refused", stranger: "refused" },
  Java: { other: "refused", stranger: "refused" },
  // It lets everybody finish the handshake, and answers those that it could not verify with a page.
  nginx: { other: `not for ${idOf("other")}`, stranger: "</html>" },
};

async function shownIssuer(port: number, to: Holder, [old, next]: readonly [Authority, Authority]): Promise<string> {
  const shown = await shownBy(port, to);
  if (shown?.checkIssued(new X509Certificate(old.issuing))) return "old";
  return shown?.checkIssued(new X509Certificate(next.issuing)) ? "next" : "none";
}
