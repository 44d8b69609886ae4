import { expect, test } from "vitest";
import { runCli } from "../../src/cli/program.ts";
import { EXTRA_COMMANDS } from "../../src/bin/commands.ts";
import { ok } from "../../src/domain/problem.ts";
import { PACE } from "../../src/reconcile/authority/pace.ts";
import { renderAuthorityStatus } from "../../src/wire/authority-status.ts";
import { readAuthorityAsk } from "../../src/wire/authority-ask.ts";
import { fakeIo } from "../fakes/io.ts";
import { must } from "../fakes/judging.ts";

const at = (text: string): number => Date.parse(text);
const window = { notBefore: at("2026-11-01T00:00:00Z"), notAfter: at("2027-01-30T00:00:00Z") };
const STATUS = renderAuthorityStatus({
  trustDomain: "example.org",
  pace: PACE,
  set: {
    sequence: 2,
    paused: false,
    authorities: [
      { id: "aaaaaaaaaaaaaaaaaaaa", state: "active", since: window.notBefore, window },
      {
        id: "bbbbbbbbbbbbbbbbbbbb",
        state: "published",
        since: at("2026-11-23T12:00:00Z"),
        publishedAt: at("2026-11-23T12:00:00Z"),
        window,
      },
    ],
  },
});

async function run(
  line: string,
  files: Readonly<Record<string, string>> = { ".signet/authorities/status.json": STATUS },
) {
  const { io, printed } = fakeIo(files);
  const written: Record<string, string> = {};
  const writeFile = (path: string, text: string) => {
    written[path] = text;
    return ok(undefined);
  };
  const code = await runCli({ ...io, writeFile }, line.split(" "), EXTRA_COMMANDS);
  return { code, ...printed, written };
}

test("`signet ca status` says where every authority stands and what it waits for", async () => {
  const { code, out } = await run("ca status");
  expect([code, out]).toEqual([
    0,
    `Trust domain example.org, bundle 2
AUTHORITY         STATE      ENDS                  NEXT WHEN
aaaaaaaaaaaaaaaa  active     2027-01-30T00:00:00Z  its successor is prepared at 2026-12-16T00:00:00Z
bbbbbbbbbbbbbbbb  published  2027-01-30T00:00:00Z  readers have its root: it signs from 2026-11-23T12:15:00Z on, if nobody lacks it
`,
  ]);
});

test("without an active authority its exit code says so", async () => {
  const none = STATUS.replace('"active"', '"revoked"');
  expect((await run("ca status -o json", { ".signet/authorities/status.json": none })).code).toBe(3);
});

test("where no server has run it is bad input, with what to do", async () => {
  const { code, err } = await run("ca status --state elsewhere");
  expect([code, err.split("\n")[0]]).toEqual([
    2,
    "signet: --state: There is no status of authorities in elsewhere. [FILE_UNREADABLE]",
  ]);
});

test.each([
  ["ca rotate", { step: "request" }],
  ["ca rotate --pause", { step: "pause" }],
  ["ca rotate --resume", { step: "resume" }],
  ["ca rotate --withdraw", { step: "withdraw", id: "bbbbbbbbbbbbbbbbbbbb" }],
])("`signet %s` asks the server for it", async (line, ask) => {
  const { code, written } = await run(line);
  expect([code, must(readAuthorityAsk(written[".signet/authorities/ask.json"] ?? ""))]).toEqual([0, ask]);
});

test("what cannot be rolled back is said", async () => {
  const { code, err } = await run("ca rotate --rollback");
  expect([code, err.split("\n")[0]]).toEqual([2, "signet: No authority is tainted. [ROTATION_REFUSED]"]);
});

test("`signet ca rotate --plan` changes nothing", async () => {
  const { code, out, written } = await run("ca rotate --plan");
  expect([code, out.split("\n").length, written]).toEqual([0, 9, {}]);
});

test.each(["", "{}", '{"step":"revoke","id":"aa"}', '{"step":"activate","id":"../x"}', '{"step":"request","id":"aa"}'])(
  "nothing else can be asked for: %s",
  (text) => {
    expect(readAuthorityAsk(text).ok).toBe(false);
  },
);
