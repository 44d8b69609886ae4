import { expect, test } from "vitest";
import { readCluster } from "../../src/cli/init-cluster.ts";
import type { KubeAccess } from "../../src/cli/kube-access.ts";
import { ok, type Problem, refuse } from "../../src/domain/problem.ts";

/** A cluster with one Deployment in each of two namespaces, where these kinds answer something else. */
const opening = (answers: Readonly<Record<string, ReturnType<typeof refuse>>>) => () => {
  const deployment = (namespace: string) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace },
  });
  const list: KubeAccess["list"] = ({ kind }, selection) => {
    const all = kind === "Deployment" ? ["shop", "other"] : [];
    const items = all.filter((each) => selection?.namespace === undefined || each === selection.namespace);
    return Promise.resolve(answers[kind] ?? ok({ items: items.map(deployment) }));
  };
  return Promise.resolve(ok({ list } as unknown as KubeAccess));
};

const found = async (answers: Parameters<typeof opening>[0], namespace?: string) => {
  const read = await readCluster(opening(answers), namespace === undefined ? {} : { namespace });
  return read.ok
    ? read.value.map((object) => `${object.kind} ${object.namespace}/${object.name}`)
    : read.problems.map(({ code }: Problem) => code);
};

test("all namespaces are looked at, or one", async () => {
  expect(await found({})).toEqual(["Deployment shop/web", "Deployment other/web"]);
  expect(await found({}, "shop")).toEqual(["Deployment shop/web"]);
});

test("a kind that the cluster does not have is left out", async () => {
  expect(await found({ VirtualMachine: refuse("NOT_FOUND", "", "no such kind") }, "shop")).toEqual([
    "Deployment shop/web",
  ]);
});

test("what may not be read refuses the whole: a proposal for half a cluster would look like one for all of it", async () => {
  expect(await found({ Pod: refuse("API_FORBIDDEN", "", "no") })).toEqual(["API_FORBIDDEN"]);
});
