import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import { COMMANDS } from "../../src/bin/commands.ts";
import { runCli } from "../../src/cli/program.ts";
import { readInputs } from "../../src/folder/read-inputs.ts";
import { fakeIo, type Files } from "../fakes/io.ts";
import { must } from "../fakes/judging.ts";

const APPS = join(import.meta.dirname, "data/apps");

/** Application → its manifests, and what is proposed: how many roles, and how many workloads change their account. */
const EXPECTED = {
  "sock-shop": { path: "sock-shop/manifests", roles: 14, patched: 14 },
  bookinfo: { path: "bookinfo/bookinfo.yaml", roles: 4, patched: 0 },
  "online-boutique": { path: "online-boutique/kubernetes-manifests.yaml", roles: 12, patched: 1 },
} as const;

const manifestsOf = (path: string): Files =>
  Object.fromEntries(
    must(readInputs([join(APPS, path)])).map(({ name, text }) => [`app/${name.replaceAll("/", "_")}`, text]),
  );

async function run(line: string, files: Files) {
  const { io, printed, written } = fakeIo(files);
  const code = await runCli(io, line.split(" "), COMMANDS);
  return { code, ...printed, written };
}

type Patched = {
  readonly target: { readonly kind: string; readonly name: string };
  readonly patch: string;
};
type Deployed = {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly template: { readonly spec: object } };
};

/** The application as kustomize would make it of the proposed patches. */
function patched(files: Files, kustomization: string | undefined): Files {
  const patches =
    ((kustomization === undefined ? {} : parse(kustomization)) as { readonly patches?: readonly Patched[] }).patches ??
    [];
  const accountOf = ({ kind, metadata }: Deployed): string | undefined => {
    const found = patches.find(({ target }) => target.kind === kind && target.name === metadata.name);
    return found && (parse(found.patch) as readonly { readonly value: string }[])[0]?.value;
  };
  const change = (object: Deployed): object => {
    const serviceAccountName = accountOf(object);
    if (serviceAccountName === undefined) return object;
    const template = { ...object.spec.template, spec: { ...object.spec.template.spec, serviceAccountName } };
    return { ...object, spec: { ...object.spec, template } };
  };
  const documents = (text: string): readonly Deployed[] =>
    parseAllDocuments(text).flatMap((document) => (document.toJS() as Deployed | null) ?? []);
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => [
      name,
      documents(text)
        .map((each) => stringify(change(each)))
        .join("---\n"),
    ]),
  );
}

describe.each(Object.entries(EXPECTED))("signet init on %s", (_app, { path, roles, patched: changed }) => {
  const files = manifestsOf(path);
  const proposed = run("init app --out out", files);

  test("proposes a room, a role for each application, and an account for each that has none of its own", async () => {
    const { code, err, written } = await proposed;
    const words = [
      `${roles} roles`,
      `${changed} new account${changed === 1 ? "" : "s"}`,
      `${changed} patch${changed === 1 ? "" : "es"}`,
    ];
    expect([code, err]).toEqual([
      0,
      `Proposed in out: 1 segment, ${words.join(", ")}. Next: signet lint out/catalogue\n`,
    ]);
    expect(Object.keys(written)).toEqual([
      "out/catalogue/catalogue.yaml",
      ...(changed === 0 ? [] : ["out/accounts/service-accounts.yaml", "out/accounts/kustomization.yaml"]),
    ]);
  });

  test("its catalogue is found clean", async () => {
    const { written } = await proposed;
    expect(await run("lint out/catalogue --strict", written)).toMatchObject({ code: 0, out: "Nothing found.\n" });
  });

  test("with its patches every workload is admitted, in an enrolled namespace too", async () => {
    const { written } = await proposed;
    const namespace = /namespaces:\n {4}- (\S+)/.exec(written["out/catalogue/catalogue.yaml"] ?? "")?.[1];
    const enrolled = `{apiVersion: v1, kind: Namespace, metadata: {name: ${namespace}, labels: {signet.dev/enrol: "true"}}}`;
    const all = {
      ...written,
      "out/catalogue/ns.yaml": enrolled,
      ...patched(files, written["out/accounts/kustomization.yaml"]),
    };
    const { code, out } = await run("review app -c out/catalogue -o json", all);
    const verdicts = (JSON.parse(out) as readonly { readonly verdict: string; readonly name: string }[]).map(
      (each) => each.verdict,
    );
    expect([code, new Set(verdicts)]).toEqual([0, new Set(["admit"])]);
    expect(verdicts.length).toBeGreaterThanOrEqual(roles);
  });
});

test("what is proposed is the same twice, and no file is overwritten", async () => {
  const files = manifestsOf("sock-shop/manifests");
  const first = await run("init app --out out", files);
  const second = await run("init app --out out", { ...files, ...first.written });
  expect([second.code, second.written, second.err.includes("is there already")]).toEqual([2, {}, true]);
  const printed = await run("init app", files);
  expect(printed.out).toContain(first.written["out/catalogue/catalogue.yaml"] ?? "nothing");
});
