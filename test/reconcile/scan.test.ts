import { expect, test } from "vitest";
import { problem } from "../../src/domain/problem.ts";
import { namespaceReport } from "../../src/reconcile/scan/report.ts";
import { decideReports } from "../../src/reconcile/scan/report-changes.ts";
import { Scan, type Scanned } from "../../src/reconcile/scan/scan.ts";

type Finding = Scanned["judgement"]["findings"][number];
const refused: Finding = {
  problem: problem("HOST_PID", "spec.hostPID", "It sees the node's processes."),
  refuses: true,
};
const warned: Finding = { problem: problem("ROLE_NONE", "", "No role fits."), refuses: false };

const pod = (name: string, findings: readonly Finding[] = [], namespace = "web", enrolled = true): Scanned => ({
  object: { apiVersion: "v1", kind: "Pod", namespace, name, uid: `uid-${namespace}-${name}` },
  judgement: { enrolled, findings },
});

/** A scan, and the reports that are there; a round writes what is decided. */
function world() {
  const scan = new Scan();
  const present = new Map<string, string>();
  const round = (): readonly string[] => {
    const { write, remove } = decideReports(scan, present, scan.takeChanged());
    for (const namespace of remove) present.delete(namespace);
    const written = write.map(({ namespace, digest, object }) => {
      present.set(namespace, digest);
      const empty = (object["results"] as readonly object[]).length === 0 && namespace !== "";
      return `${empty ? "empty" : "write"} ${namespace || "(cluster)"}`;
    });
    return [...remove.map((namespace) => `delete ${namespace}`), ...written];
  };
  return { scan, present, round };
}

test("what is found is gathered by code and role, refusals first", () => {
  const { scan } = world();
  for (const name of ["b", "a"]) scan.look(pod(name, [refused]));
  scan.look(pod("c", [warned]));
  scan.look(pod("d"));
  expect(scan.of("web")?.counts).toEqual({ pass: 1, warn: 1, fail: 2 });
  expect(
    scan
      .of("web")
      ?.groups.map(({ outcome, code, count, examples }) => [outcome, code, count, examples.map(({ name }) => name)]),
  ).toEqual([
    ["fail", "HOST_PID", 2, ["a", "b"]],
    ["warn", "ROLE_NONE", 1, ["c"]],
  ]);
});

test("a report is written once, and again only where it says something else", () => {
  const { scan, round } = world();
  scan.look(pod("a", [refused]));
  expect(round()).toEqual(["write web", "write (cluster)"]);
  scan.look(pod("a", [refused]));
  expect(round()).toEqual([]);
  scan.look(pod("a"));
  expect(round()).toEqual(["empty web", "write (cluster)"]);
});

test("only the namespace that changed is written", () => {
  const { scan, round } = world();
  for (const namespace of ["a", "b", "c"]) scan.look(pod("p", [warned], namespace));
  round();
  scan.look(pod("q", [warned], "b"));
  expect(round()).toEqual(["write b", "write (cluster)"]);
});

test("where nothing is left the report is deleted, once, also one that an earlier writer left", () => {
  const { scan, present, round } = world();
  present.set("left", "old").set("", "old");
  scan.look(pod("a", [warned]));
  expect(round()).toEqual(["delete left", "write web", "write (cluster)"]);
  scan.forget("uid-web-a");
  expect(round()).toEqual(["delete web", "write (cluster)"]);
  expect(round()).toEqual([]);
});

test("a Pod without a role in a namespace that is not enrolled is nobody's concern", () => {
  const { scan } = world();
  scan.look(pod("a", [warned], "elsewhere", false));
  expect(scan.namespaces()).toEqual([]);
});

test("a Pod whose name comes again under another UID is another", () => {
  const { scan } = world();
  scan.look(pod("a", [refused]));
  scan.forget("uid-web-a");
  scan.look({ ...pod("a"), object: { ...pod("a").object, uid: "anew" } });
  expect(scan.counts()).toEqual({ pass: 1, warn: 0, fail: 0 });
});

test("a report is bounded in results, in resources and in text, and counts what it leaves out", () => {
  const { scan } = world();
  for (let role = 0; role < 150; role++)
    for (let index = 0; index < 12; index++) {
      const one = pod(`p-${role}-${index}`, [{ ...refused, problem: problem("HOST_PID", "", "long ".repeat(200)) }]);
      const identity = { role: { name: `role-${role}` }, segment: { name: "s" } } as never;
      scan.look({ ...one, judgement: { ...one.judgement, identity } });
    }
  const found = scan.of("web");
  const report = found && namespaceReport(found).object;
  const results = report?.["results"] as { resources?: object[]; message: string; properties: { count: string } }[];
  expect(results).toHaveLength(100);
  expect(results[0]?.resources).toHaveLength(10);
  expect(results.at(-1)).toMatchObject({
    rule: "more",
    message: "51 further results are left out; signet report lists all.",
  });
  expect(results.reduce((sum, { properties }) => sum + Number(properties.count), 0)).toBe(1800);
  expect(JSON.stringify(report).length).toBeLessThan(300_000);
});

test("a round over ten thousand Pods of which one changed looks at one namespace", () => {
  const { scan, round } = world();
  for (let index = 0; index < 10_000; index++) scan.look(pod(`p-${index}`, [warned], `ns-${index % 100}`));
  expect(round()).toHaveLength(101);
  for (let index = 0; index < 10_000; index++) scan.look(pod(`p-${index}`, [warned], `ns-${index % 100}`));
  expect([...scan.takeChanged()]).toEqual([]);
  scan.look(pod("p-7", [refused], "ns-7"));
  expect(round()).toEqual(["write ns-7", "write (cluster)"]);
});
