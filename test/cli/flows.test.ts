import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openFlowsOf } from "../../src/bin/open-flows.ts";
import { addFlowsCommand } from "../../src/cli/flows.ts";
import { addPolicyCommands } from "../../src/cli/policy-commands.ts";
import { runCli } from "../../src/cli/program.ts";
import { ok } from "../../src/domain/problem.ts";
import { readInputs } from "./run-policy.ts";

const NOON = Date.parse("2026-11-23T12:00:00Z");
const SHOP = "test/conformance/data/apps/online-boutique/kubernetes-manifests.yaml";
const SIMULATE = ["policy", "simulate", SHOP, "--catalogue=docs/examples/online-boutique"];

let folder = "";
beforeEach(() => {
  const made = mkdtempSync(join(tmpdir(), "signet-flows-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  folder = made;
});

/** Runs a command with the real flows of the state folder. */
async function signet(...args: readonly string[]) {
  const said = { out: "", err: "" };
  const code = await runCli(
    {
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      color: false,
      now: () => NOON,
      env: {},
      readInputs,
      writeFile: () => ok(undefined),
      openFlows: async (state, how) => openFlowsOf(state, how),
    },
    [...args, "--state", join(folder, "state")],
    [addPolicyCommands, addFlowsCommand],
  );
  return { code, ...said, out: said.out.replaceAll(folder, "DIR"), err: said.err.replaceAll(folder, "DIR") };
}

function fileOf(name: string, ...lines: readonly object[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return path;
}

const frontend = { from: "default/frontend", to: "default/cartservice", port: "tcp-7070" };
const rows = (out: string) => out.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | "));

describe("flows import", () => {
  test("adds up what files say by both ends, port and verdict", async () => {
    const first = fileOf("a.jsonl", { ...frontend, time: "2026-11-20T08:00:00Z" }, { ...frontend, count: 5 });
    const second = fileOf(
      "b.jsonl",
      { ...frontend, time: "2026-11-19T08:00:00+02:00" },
      { ...frontend, verdict: "dropped" },
    );
    expect(await signet("flows", "import", first, second)).toEqual({
      code: 0,
      out: "DIR/a.jsonl: 6 flows on 1 ways.\nDIR/b.jsonl: 2 flows on 2 ways.\n",
      err: "",
    });
    expect(rows((await signet("flows", "list")).out)).toEqual([
      "FROM | TO | ON | VERDICT | FLOWS | FIRST | LAST",
      "default/frontend | default/cartservice | tcp/7070 | dropped | 1 | 2026-11-23T12:00:00Z | 2026-11-23T12:00:00Z",
      "default/frontend | default/cartservice | tcp/7070 | forwarded | 7 | 2026-11-19T06:00:00Z | 2026-11-23T12:00:00Z",
      "",
    ]);
    expect(statSync(join(folder, "state")).mode & 0o777).toBe(0o700);
  });

  test("counts a file once, under whatever name", async () => {
    await signet("flows", "import", fileOf("a.jsonl", frontend));
    const { out } = await signet("flows", "import", fileOf("b.jsonl", frontend));
    expect(out).toBe("DIR/b.jsonl: imported before; nothing of it is counted again.\n");
    const { out: listed } = await signet("flows", "list", "-o", "json");
    const times = { first: "2026-11-23T12:00:00Z", last: "2026-11-23T12:00:00Z" };
    expect(JSON.parse(listed)).toEqual([{ ...frontend, port: "TCP/7070", verdict: "forwarded", count: 1, ...times }]);
  });

  test("counts no further than it can say", async () => {
    const most = { ...frontend, count: 1e12 };
    for (let file = 0; file < 3; file += 1)
      await signet("flows", "import", fileOf(`${file}.jsonl`, ...Array.from({ length: 4000 + file }, () => most)));
    const { out } = await signet("flows", "list", "-o", "json");
    expect(JSON.parse(out)).toMatchObject([{ count: Number.MAX_SAFE_INTEGER }]);
  });

  test("takes nothing of a file with a line that cannot be read, and says where it is", async () => {
    const whole = fileOf("whole.jsonl", frontend);
    const broken = fileOf(
      "broken.jsonl",
      frontend,
      { from: "a" },
      { ...frontend, time: "noon" },
      { ...frontend, count: 0 },
      { ...frontend, port: "TCP/65536" },
      { ...frontend, to: "a\u001b[2J" },
    );
    const { code, out, err } = await signet("flows", "import", broken, whole);
    expect([code, out]).toEqual([2, "DIR/whole.jsonl: 1 flows on 1 ways.\n"]);
    expect(err.split("\n").filter((line) => line.startsWith("signet:"))).toEqual([
      "signet: DIR/broken.jsonl:2: This is no flow. [FIELD_INVALID]",
      'signet: DIR/broken.jsonl:3: "noon" is not a date and time. [FIELD_INVALID]',
      "signet: DIR/broken.jsonl:4: This is no flow. [FIELD_INVALID]",
      "signet: DIR/broken.jsonl:5: This is no flow. [FIELD_INVALID]",
      "signet: DIR/broken.jsonl:6: This is no flow. [FIELD_INVALID]",
    ]);
  });

  test("says of a folder that takes nothing that nothing was added", async () => {
    await signet("flows", "import", fileOf("a.jsonl", frontend));
    const database = new DatabaseSync(join(folder, "state", "flows.db"));
    database.exec("CREATE TRIGGER full BEFORE INSERT ON edges BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
    database.close();
    expect(await signet("flows", "import", fileOf("b.jsonl", { ...frontend, count: 2 }))).toEqual({
      code: 2,
      out: "",
      err:
        "signet: --state: Nothing of it was added to DIR/state/flows.db (disk is full). [FILE_UNREADABLE]\n" +
        "        Make room there, or try again when nobody else imports.\n",
    });
  });

  test("says of a folder without flows how to get some", async () => {
    const { code, err } = await signet("flows", "list");
    expect(code).toBe(2);
    expect(err).toBe(
      "signet: --state: There are no flows at DIR/state/flows.db (unable to open database file). [FILE_UNREADABLE]\n" +
        "        Import some with `signet flows import FILE`, or name the folder with --state DIR.\n",
    );
  });
});

describe("policy simulate over what was imported", () => {
  const stray = { from: "default/adservice", to: "default/redis-cart", port: "TCP/6379" };

  test("lists by owner what would break, and names who is gone", async () => {
    const gone = { from: "default/frontend", to: "kube-system/coredns", port: "UDP/53", count: 4 };
    await signet(
      "flows",
      "import",
      fileOf("a.jsonl", frontend, { ...stray, count: 3 }, gone, { ...stray, verdict: "dropped" }),
    );
    const { code, out, err } = await signet(...SIMULATE);
    expect(code).toBe(3);
    expect(err).toBe(
      "signet: 4 flows were not judged: kube-system/coredns is no one workload of the input [WORKLOAD_UNKNOWN]\n",
    );
    expect(rows(out)).toEqual([
      "OWNER | FROM | TO | ON | FLOWS | WHY",
      expect.stringMatching(/^shop@example\.org \| .*adservice.* \| .*redis-cart.* \| tcp\/6379 \| 3 \| /),
      "",
    ]);
  });

  test("says in the same breath how much was not judged, and refuses to say that nothing would break of nothing", async () => {
    const gone = { from: "default/frontend", to: "kube-system/coredns", port: "UDP/53", count: 4 };
    await signet("flows", "import", fileOf("a.jsonl", gone, { ...frontend, time: "2026-11-01T00:00:00Z" }));
    const all = await signet(...SIMULATE);
    expect([all.code, all.out]).toEqual([0, "Nothing would break of 1 flows. 4 more were not judged.\n"]);
    const since = await signet(...SIMULATE, "--since=2026-11-02T00:00:00Z");
    expect(since).toEqual({
      code: 2,
      out: "",
      err:
        "signet: 4 flows were not judged: kube-system/coredns is no one workload of the input [WORKLOAD_UNKNOWN]\n" +
        "signet: No flow was judged: none was seen since then, or none is between workloads of the input. [WORKLOAD_UNKNOWN]\n" +
        "        Look at `signet flows list`, and give the manifests of what runs there.\n",
    });
  });

  test("leaves out what was last seen before a moment", async () => {
    await signet("flows", "import", fileOf("a.jsonl", { ...stray, time: "2026-10-01T00:00:00Z" }, frontend));
    const { code, out } = await signet(...SIMULATE, "--since=2026-11-01T00:00:00Z");
    expect([code, out]).toEqual([0, "Nothing would break of 1 flows.\n"]);
  });
});
