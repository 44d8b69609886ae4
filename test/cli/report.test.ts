import { expect, test } from "vitest";
import { COMMANDS } from "../../src/bin/commands.ts";
import { runCli } from "../../src/cli/program.ts";
import { fakeIo } from "../fakes/io.ts";

const FILES = {
  "cat/c.yaml": `
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [shop], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: web}, spec: {segment: shop, match: {serviceAccounts: [web]}}}
---
{apiVersion: signet.dev/v1alpha1, kind: SegmentException, metadata: {namespace: shop, name: x}, spec: {permit: {check: hostPID}, workloads: {role: web}, reason: "<b>&", expires: '2026-12-01T00:00:00Z'}}
`,
  "app.yaml": `
{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: good}, spec: {serviceAccountName: web, containers: [{name: main, image: x}]}}
---
{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: bad}, spec: {serviceAccountName: web, hostPID: true, containers: [{name: main, image: x}]}}
`,
};

async function report(output: string) {
  const { io, printed } = fakeIo(FILES);
  const code = await runCli(io, ["report", "app.yaml", "-c", "cat", "-o", output], COMMANDS);
  return { code, ...printed };
}

test("as a table: what would be refused, and how many pass", async () => {
  expect(await report("text")).toEqual({
    code: 3,
    out: `NAMESPACE  WORKLOAD  ROLE  RESULT  CODE      WHY
shop       Pod/bad   web   fail    HOST_PID  It sees the node's processes, which role web does not permit.

1 would be refused at the next start, 0 with warnings, 1 pass, as of 2026-11-23T12:00:00Z.
`,
    err: "",
  });
});

test("as CSV: one row a finding, one for what passes", async () => {
  expect((await report("csv")).out.split("\r\n")).toEqual([
    "namespace,workload,role,segment,result,code,message",
    'shop,Pod/bad,web,shop,fail,HOST_PID,"It sees the node\'s processes, which role web does not permit."',
    "shop,Pod/good,web,shop,pass,,",
    "",
  ]);
});

test("as JSON: with the exceptions that it lives by", async () => {
  const { namespaces, exceptions, counts } = JSON.parse((await report("json")).out) as Record<string, unknown>;
  expect(counts).toEqual({ pass: 1, warn: 0, fail: 1 });
  expect(namespaces).toMatchObject([
    { namespace: "shop", workloads: [{ name: "bad" }, { name: "good", findings: [] }] },
  ]);
  expect(exceptions).toMatchObject([{ name: "x", state: "active" }]);
});

test("as a page: it loads nothing, runs nothing, and writes no text as markup", async () => {
  const { out } = await report("html");
  expect(out).toContain("default-src 'none'; style-src 'sha256-");
  expect(out).not.toMatch(/<script|<b>&|https?:|style="/);
  expect(out).toContain("&lt;b&gt;&amp;");
  expect(out).toContain('<td class="fail">would be refused</td>');
});
