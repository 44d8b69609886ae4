import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import type { ApiClient } from "../../api.ts";
import { applyObject } from "./network.ts";

type Definition = { readonly kind: string; readonly metadata: { readonly name: string } };

/** Applies every CustomResourceDefinition of the folders and resolves when all are served. */
export async function applyCrds(admin: ApiClient, folders: readonly string[]): Promise<void> {
  const found = (await Promise.all(folders.map(definitionsIn))).flat();
  await Promise.all(found.map((each) => applyObject(admin, pathOf(each), each)));
  await Promise.all(found.map((each) => established(admin, each)));
}

const pathOf = ({ metadata }: Definition): string =>
  `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${metadata.name}`;

async function definitionsIn(folder: string): Promise<readonly Definition[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".yaml"));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  const objects = texts.flatMap((text) => parseAllDocuments(text).map((each) => each.toJS() as Definition | null));
  return objects.filter((each) => each !== null).filter(({ kind }) => kind === "CustomResourceDefinition");
}

type Conditions = {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
};

async function established(admin: ApiClient, definition: Definition): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const { body } = await admin.request("GET", pathOf(definition));
    const conditions = (body as Conditions).status?.conditions ?? [];
    if (conditions.some((each) => each.type === "Established" && each.status === "True")) return;
    await sleep(50);
  }
  throw new Error(`${definition.metadata.name} is not served after 20 s`);
}
