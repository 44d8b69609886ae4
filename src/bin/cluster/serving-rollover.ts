import { fingerprint } from "../../ca/serving-certificates.ts";
import { problemLine } from "../../domain/problem.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Term } from "../../kube/lease.ts";
import type { Log } from "../../kube/log.ts";
import { type Resource, WEBHOOK_CONFIGURATIONS } from "../../kube/resources.ts";
import { nextServingStep, type ServingStep } from "../../reconcile/serving.ts";
import type { ClusterConfig } from "../../wire/config.ts";
import { NAME } from "../../wire/manifests/names.ts";
import { isRaw, type Raw, rawAt, textAt } from "../../wire/read-object.ts";
import { bundleText, type ServingSecret, splitBundle } from "../../wire/serving-secret.ts";
import { foundServing, type KeptServing, newAuthority, type ServingStore } from "./serving-store.ts";

type Means = {
  readonly client: KubeClient;
  readonly store: ServingStore;
  readonly cluster: ClusterConfig;
  readonly log: Log;
};

/** Does the next step of the serving authority's life, if one is due. */
export async function advanceServing(means: Means, term: Term): Promise<void> {
  const { store, client, cluster } = means;
  const kept = await store.read();
  const configurations = await readConfigurations(client);
  const step = nextServingStep({
    ...(kept.state ? { state: kept.state } : {}),
    published: configurations.flatMap(({ entries }) =>
      entries.map(({ bundle }) => splitBundle(bundle).map(fingerprint)),
    ),
    asked: kept.asked !== undefined,
    now: Date.now(),
    terms: { leafMs: cluster.leafMs, settleMs: cluster.settleMs },
  });
  if (step.do === "wait" || !term.valid()) return;
  const done = await perform(means, step, kept, configurations);
  if (done) means.log.info({ did: step.do, why: step.why }, "The serving authority was advanced.");
}

type Working = Exclude<ServingStep, { readonly do: "wait" }>;

/** False where somebody else wrote first: the next round looks again. */
async function perform(
  means: Means,
  step: Working,
  kept: KeptServing,
  configurations: readonly Configuration[],
): Promise<boolean> {
  const { store, cluster } = means;
  const { state } = kept;
  if (!state) return Boolean(await foundServing(store, cluster.authorityMs, Date.now));
  const write = (change: Partial<ServingSecret>): Promise<boolean> => store.write(kept, { ...state, ...change });
  switch (step.do) {
    case "found":
      return true;
    case "prepare":
      return prepare(means, kept, state);
    case "publish":
      if (step.again && !(await store.write(kept, withoutPublished(state)))) return false;
      return publish(means.client, configurations, bundleText(state));
    case "settle":
      return write({ publishedAt: Date.now() });
    case "switch":
      return write({ signer: step.to, switchedAt: Date.now() });
    case "drop":
      return write({ authorities: state.authorities.filter(({ id }) => id !== step.authority) });
  }
}

/** Another authority beside the one that signs; what was asked for by hand is noted, so that it is done once. */
async function prepare({ store, cluster }: Means, kept: KeptServing, state: ServingSecret): Promise<boolean> {
  const next = await newAuthority(Date.now(), cluster.authorityMs);
  const { authorities, signer } = state;
  const rotated = kept.asked ?? state.rotated;
  return store.write(kept, {
    signer,
    ...(rotated === undefined ? {} : { rotated }),
    authorities: [...authorities, next],
  });
}

function withoutPublished({ publishedAt: _, ...rest }: ServingSecret): ServingSecret {
  return rest;
}

type Entry = { readonly index: number; readonly bundle: string };
type Configuration = { readonly resource: Resource; readonly version: string; readonly entries: readonly Entry[] };

async function readConfigurations(client: KubeClient): Promise<readonly Configuration[]> {
  const found = await Promise.all(
    WEBHOOK_CONFIGURATIONS.map(async (resource) => ({ resource, read: await client.get(resource, { name: NAME }) })),
  );
  return found.flatMap(({ resource, read }) => {
    if (read.ok) return [configurationOf(resource, read.value)];
    if (read.problems[0]?.code === "NOT_FOUND") return [];
    throw new Error(read.problems.map(problemLine).join("; "));
  });
}

function configurationOf(resource: Resource, raw: Raw): Configuration {
  const webhooks = Array.isArray(raw["webhooks"]) ? raw["webhooks"].filter(isRaw) : [];
  return {
    resource,
    version: textAt(rawAt(raw, "metadata"), "resourceVersion") ?? "",
    entries: webhooks.map((webhook, index) => ({
      index,
      bundle: Buffer.from(textAt(rawAt(webhook, "clientConfig"), "caBundle") ?? "", "base64").toString("utf8"),
    })),
  };
}

/** Only entries that differ are touched, and nothing but `caBundle` in them: all else belongs to whoever installed it. */
async function publish(client: KubeClient, configurations: readonly Configuration[], bundle: string): Promise<boolean> {
  const value = Buffer.from(bundle).toString("base64");
  const done = await Promise.all(
    configurations.map(async ({ resource, version, entries }) => {
      const different = entries.filter((entry) => entry.bundle !== bundle);
      if (different.length === 0) return true;
      const body = [
        { op: "test", path: "/metadata/resourceVersion", value: version },
        ...different.map(({ index }) => ({ op: "add", path: `/webhooks/${index}/clientConfig/caBundle`, value })),
      ];
      return (await client.patch(resource, { name: NAME }, { type: "json", body })).ok;
    }),
  );
  return done.every(Boolean);
}
