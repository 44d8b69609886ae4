import { fingerprint, signsTruly } from "../../ca/serving-certificates.ts";
import { problemLine } from "../../domain/problem.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Term } from "../../kube/lease.ts";
import type { Log } from "../../kube/log.ts";
import { type Resource, WEBHOOK_CONFIGURATIONS } from "../../kube/resources.ts";
import { nextServingStep, type ServingStep } from "../../reconcile/serving.ts";
import type { ClusterConfig } from "../../wire/cluster-config.ts";
import { NAME } from "../../wire/manifests/names.ts";
import { isRaw, type Raw, rawAt, textAt } from "../../wire/read-object.ts";
import { bundleText, type ServingSecret, splitBundle } from "../../wire/serving-secret.ts";
import { callsArrive } from "./self-test.ts";
import { foundServing, type KeptServing, newAuthority, type ServingStore } from "./serving-store.ts";

type Means = {
  readonly client: KubeClient;
  readonly store: ServingStore;
  readonly cluster: ClusterConfig;
  readonly log: Log;
};

/** Twice the time after which a replica looks at the Secret again. */
const TAKE_OVER_MS = 10_000;

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
    terms: { leafMs: cluster.leafMs, settleMs: cluster.settleMs, takeOverMs: TAKE_OVER_MS },
  });
  if (step.do === "wait" || !term.valid()) return;
  if (step.do === "prove" && !step.last && !(await callsArrive(means.client))) return;
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
  if (!state || step.do === "found") return Boolean(await foundServing(store, cluster.authorityMs, Date.now));
  const write = (change: Partial<ServingSecret>): Promise<boolean> => store.write(kept, { ...state, ...change });
  switch (step.do) {
    case "prepare":
      return prepare(means, kept, state);
    case "publish":
      return publishAnew(means, step, kept, configurations);
    case "settle":
      return write({ publishedAt: Date.now() });
    case "switch":
      return switchTo(means, kept, state, step.to);
    case "prove":
      return prove(means, kept, state);
    case "drop":
      return write({ authorities: state.authorities.filter(({ id }) => id !== step.authority) });
  }
}

/** Where it had settled already, that is taken back first: what was seen is no longer so. */
async function publishAnew(
  { store, client }: Means,
  { again }: { readonly again: boolean },
  kept: KeptServing,
  configurations: readonly Configuration[],
): Promise<boolean> {
  const { state } = kept;
  if (!state || (again && !(await store.write(kept, withoutPublished(state))))) return false;
  return publish(client, configurations, bundleText(state));
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

/**
 * The newer one signs from now on, if what it signs is verified by its certificate, which costs nobody a call to find out,
 * and if calls arrive at all as things are: what is broken already must not be mistaken for its fault.
 */
async function switchTo(means: Means, kept: KeptServing, state: ServingSecret, to: string): Promise<boolean> {
  const newer = state.authorities.find(({ id }) => id === to);
  if (!newer || !(await signsTruly(newer, Date.now()))) return abandon(means, kept, state);
  if (!(await callsArrive(means.client))) throw new Error("the API server's calls do not arrive: nothing is switched");
  return means.store.write(kept, { ...state, signer: to, switchedAt: Date.now() });
}

/** Calls were answered by leaves of the newer one, and trusted them; or it is given up. */
const prove = async (means: Means, kept: KeptServing, state: ServingSecret): Promise<boolean> =>
  (await callsArrive(means.client))
    ? means.store.write(kept, { ...state, provenAt: Date.now() })
    : abandon(means, kept, state);

/** Only the older one is left, and signs: nobody could trust the newer one. */
async function abandon({ store, log }: Means, kept: KeptServing, state: ServingSecret): Promise<boolean> {
  const [older] = state.authorities;
  if (!older) return false;
  const { rotated } = state;
  log.error({ kept: older.id }, "The newer serving authority was given up: calls did not trust it.");
  return store.write(kept, {
    authorities: [older],
    signer: older.id,
    abandonedAt: Date.now(),
    ...(rotated === undefined ? {} : { rotated }),
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
