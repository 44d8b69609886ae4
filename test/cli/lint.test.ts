import { describe, expect, test } from "vitest";
import { type Files, signet } from "../fakes/io.ts";

const FILES: Files = {
  "p/a, b.yaml": `apiVersion: signet.dev/v1alpha1
kind: TrustDomain
metadata: {name: local}
spec: {domain: example.org}
---
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata: {name: empty}
spec: {}
`,
  "p/roles.yaml": `apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: lost}
spec:
  segment: nowhere
  match: {}
`,
};
const WARNED: Files = { "p/a.yaml": FILES["p/a, b.yaml"] ?? "" };

describe("`signet lint`", () => {
  test("prints findings as compilers do, errors and warnings", async () => {
    expect(await signet("lint p", FILES)).toEqual({
      code: 3,
      err: "",
      out: `warning SEGMENT_UNUSED p/a, b.yaml:6:1: Segment empty has no roles.
        Write a WorkloadRole for it, or delete it.
error ROLE_DEAD p/roles.yaml:5:3: spec.segment: There is no segment nowhere.
        Correct the name, or write the Segment.

1 error, 1 warning.
`,
    });
  });

  test("warnings alone fail only with --strict", async () => {
    expect((await signet("lint p", WARNED)).code).toBe(0);
    expect((await signet("lint p --strict", WARNED)).code).toBe(3);
  });

  test("colours the weight and the code on a terminal", async () => {
    const { out } = await signet("lint p", WARNED, { color: true });
    expect(out.split(" p/")[0]).toBe("\u001b[33mwarning\u001b[0m \u001b[1mSEGMENT_UNUSED\u001b[0m");
  });

  test("says so where nothing is found", async () => {
    const role =
      "---\napiVersion: signet.dev/v1alpha1\nkind: WorkloadRole\nmetadata: {name: r}\nspec: {segment: empty, match: {}}\n";
    const text = WARNED["p/a.yaml"]?.replace("spec: {}", "spec: {namespaces: [web]}") ?? "";
    expect(await signet("lint p", { "p/a.yaml": text + role })).toEqual({ code: 0, out: "Nothing found.\n", err: "" });
  });

  test("takes the catalogue from --catalogue or SIGNET_CATALOGUE, and reads both it and the paths once", async () => {
    const named = await signet("lint p", FILES);
    expect(await signet("lint --catalogue p", FILES)).toEqual(named);
    expect(await signet("lint", FILES, { env: { SIGNET_CATALOGUE: "p" } })).toEqual(named);
    expect(await signet("lint p --catalogue p", FILES)).toEqual(named);
    expect((await signet("lint", FILES)).code).toBe(2);
  });

  test("prints workflow commands for GitHub, escaped", async () => {
    expect((await signet("lint p -o github", FILES)).out).toBe(
      `::warning file=p/a%2C b.yaml,line=6,col=1,title=SEGMENT_UNUSED::Segment empty has no roles. Write a WorkloadRole for it, or delete it.
::error file=p/roles.yaml,line=5,col=3,title=ROLE_DEAD::There is no segment nowhere. Correct the name, or write the Segment.
`,
    );
  });

  test("prints SARIF for code scanning", async () => {
    const { out, code } = await signet("lint p -o sarif", FILES);
    expect(code).toBe(3);
    const log = JSON.parse(out) as {
      readonly runs: readonly [
        {
          readonly tool: { readonly driver: { readonly rules: readonly { id: string }[] } };
          readonly results: readonly object[];
        },
      ];
    };
    expect(log).toMatchObject({ version: "2.1.0", $schema: "https://json.schemastore.org/sarif-2.1.0.json" });
    expect(log.runs[0].tool.driver.rules.map(({ id }) => id)).toEqual(["ROLE_DEAD", "SEGMENT_UNUSED"]);
    expect(log.runs[0].results).toEqual([
      {
        ruleId: "SEGMENT_UNUSED",
        level: "warning",
        message: { text: "Segment empty has no roles. Write a WorkloadRole for it, or delete it." },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: "p/a%2C%20b.yaml" },
              region: { startLine: 6, startColumn: 1 },
            },
          },
        ],
      },
      {
        ruleId: "ROLE_DEAD",
        level: "error",
        message: { text: "There is no segment nowhere. Correct the name, or write the Segment." },
        locations: [
          { physicalLocation: { artifactLocation: { uri: "p/roles.yaml" }, region: { startLine: 5, startColumn: 3 } } },
        ],
      },
    ]);
  });

  test("hands unreadable input to the tools that read findings, and is exit code 2", async () => {
    const broken = { "p/a.yaml": "a: [1\nb: 2\n" };
    const { code, out, err } = await signet("lint p -o github", broken);
    expect(code).toBe(2);
    expect(out).toMatch(/^::error file=p\/a.yaml,line=\d+,col=\d+,title=YAML_SYNTAX::This is not YAML: /);
    expect(err).toMatch(/^signet: p\/a.yaml:\d+:\d+: This is not YAML: .* \[YAML_SYNTAX\]\n/);
    expect((await signet("lint p", broken)).out).toBe("");
  });
});
