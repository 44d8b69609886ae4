import { setTimeout as sleep } from "node:timers/promises";
import { accepted } from "./accepted.ts";
import type { Cluster } from "./boot.ts";
import type { Installed } from "./install.ts";

/** What chaos did, and what came of it. */
export type Outcome = {
  readonly pods: number;
  /** Pods of the role that stand without the stamp that is due to them. */
  readonly missed: readonly string[];
  /** Pods that nobody may have, and that stand all the same; or were answered with a yes. */
  readonly wronglyAdmitted: readonly string[];
  readonly intrusions: number;
  readonly killed: { readonly SIGKILL: number; readonly SIGTERM: number };
  /** Serving certificates that replicas took up while Pods were created. */
  readonly renewed: number;
  /** Pods a second, from the first Deployment to the last Pod. */
  readonly perSecond: number;
};

/** How much chaos: Pods in all, in how many waves; each wave ends one replica and brings a new one. */
export type Amount = { readonly pods: number; readonly waves: number; readonly patienceMs: number };

const NAMESPACE = "chaos";
const ROLE = "worker";
const DOMAIN = "chaos.example.org";
const DEPLOYMENTS_PER_WAVE = 10;
const SECRET = "/api/v1/namespaces/signet-system/secrets/signet-serving";
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;

/** What stands before chaos begins; apply it approved. */
export const CHAOS_CATALOGUE = `
apiVersion: v1
kind: Namespace
metadata: {name: ${NAMESPACE}, labels: {signet.dev/enrol: "true"}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: ${ROLE}, namespace: ${NAMESPACE}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: stranger, namespace: ${NAMESPACE}}
---
apiVersion: signet.dev/v1alpha1
kind: TrustDomain
metadata: {name: local}
spec: {domain: ${DOMAIN}}
---
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata: {name: ${NAMESPACE}}
spec: {environment: test, namespaces: [${NAMESPACE}], mode: enforce}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: ${ROLE}}
spec: {segment: ${NAMESPACE}, match: {serviceAccounts: [${ROLE}]}}
`;

const podSpec = (account: string) => ({
  serviceAccountName: account,
  containers: [{ name: "main", image: "example.org/none" }],
});

/** Resolves when a Pod of the role is admitted and a stranger's is refused. */
export async function untilJudged(cluster: Cluster, patienceMs: number): Promise<void> {
  const ask = async (account: string): Promise<number> => {
    const body = { metadata: { name: "probe" }, spec: podSpec(account) };
    return (await cluster.request("POST", `${PODS}?dryRun=All`, { body })).status;
  };
  await until(
    patienceMs,
    "roles are in force",
    async () => (await ask(ROLE)) === 201 && (await ask("stranger")) === 403,
  );
}

/**
 * Lets controllers create Pods while replicas are ended, by force and in order, and certificates change; one replica stays,
 * as a rollout or a lost node would leave it. Strangers try all the time, plainly and with a forged stamp.
 */
export async function wreak(cluster: Cluster, signet: Installed, amount: Amount): Promise<Outcome> {
  const intruding = keepIntruding(cluster);
  const began = Date.now();
  const killed = { SIGKILL: 0, SIGTERM: 0 };
  for (let wave = 1; wave <= amount.waves; wave += 1) {
    await deploy(cluster, wave, Math.round(amount.pods / amount.waves / DEPLOYMENTS_PER_WAVE));
    const signal = wave % 2 === 1 ? "SIGKILL" : "SIGTERM";
    await replaceOne(signet, signal);
    killed[signal] += 1;
    const rotates = wave % 3 === 2;
    const renewed = renewalsOf(signet);
    if (rotates) await rotate(cluster, `${wave}`);
    const wanted = Math.round((amount.pods * wave) / amount.waves);
    await until(amount.patienceMs, `${wanted} Pods are there`, async () => (await countOf(cluster)) >= wanted);
    // However fast the machine: the next wave begins when the certificates of this one have begun to change.
    if (rotates) await until(amount.patienceMs, "a certificate is renewed", async () => renewalsOf(signet) > renewed);
  }
  const seconds = (Date.now() - began) / 1000;
  const { intrusions, admitted } = await intruding.stop();
  const { pods, missed, strangers } = await inspect(cluster);
  return {
    pods,
    missed,
    wronglyAdmitted: [...admitted, ...strangers],
    intrusions,
    killed,
    renewed: renewalsOf(signet),
    perSecond: pods / seconds,
  };
}

/** Controllers wait longer and longer after failures; what they owe is asked for again by a fresh Deployment each wave. */
async function deploy(cluster: Cluster, wave: number, replicas: number): Promise<void> {
  for (let number = 1; number <= DEPLOYMENTS_PER_WAVE; number += 1) {
    const labels = { app: `worker-${wave}-${number}` };
    const spec = {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec(ROLE) },
    };
    const body = { metadata: { name: labels.app }, spec };
    await accepted(cluster, "POST", `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`, { body });
  }
}

/** Ends the oldest replica that runs, then brings another. */
async function replaceOne(signet: Installed, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  await signet
    .replicas()
    .find((replica) => replica.running())
    ?.end(signal);
  await signet.add();
}

const rotate = (cluster: Cluster, value: string): Promise<unknown> =>
  accepted(cluster, "PATCH", SECRET, {
    contentType: "application/merge-patch+json",
    body: { metadata: { annotations: { "signet.dev/rotate": value } } },
  });

const INTRUDERS = [
  {},
  { labels: { "signet.dev/role": ROLE, "signet.dev/segment": NAMESPACE } },
  { annotations: { "signet.dev/spiffe-id": `spiffe://${DOMAIN}/ns/${NAMESPACE}/sa/${ROLE}` } },
] as const;

function keepIntruding(cluster: Cluster) {
  const ended = new AbortController();
  const admitted: string[] = [];
  let intrusions = 0;
  const run = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      const metadata = { name: `intruder-${intrusions}`, ...INTRUDERS[intrusions % INTRUDERS.length] };
      const answer = await cluster.request("POST", PODS, { body: { metadata, spec: podSpec("stranger") } });
      if (answer.status < 400) admitted.push(`${metadata.name}: ${answer.status}`);
      intrusions += 1;
      await sleep(50);
    }
  };
  const running = run();
  return {
    stop: async () => {
      ended.abort();
      await running;
      return { intrusions, admitted };
    },
  };
}

type Pod = {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly serviceAccountName: string };
};

type Page = {
  readonly metadata: { readonly continue?: string; readonly remainingItemCount?: number };
  readonly items: readonly Pod[];
};

async function page(cluster: Cluster, query: string): Promise<Page> {
  const { status, body } = await cluster.request("GET", `${PODS}?${query}`);
  if (status !== 200) throw new Error(`the Pods cannot be listed: ${status} ${JSON.stringify(body)}`);
  return body as Page;
}

async function countOf(cluster: Cluster): Promise<number> {
  const { metadata, items } = await page(cluster, "limit=1");
  return items.length + (metadata.remainingItemCount ?? 0);
}

async function inspect(cluster: Cluster) {
  const [missed, strangers]: [string[], string[]] = [[], []];
  let pods = 0;
  for (let from: string | undefined = ""; from !== undefined; ) {
    const { metadata, items }: Page = await page(cluster, `limit=500&continue=${encodeURIComponent(from)}`);
    pods += items.length;
    for (const pod of items) {
      if (pod.spec.serviceAccountName !== ROLE) strangers.push(pod.metadata.name);
      else if (!isStamped(pod)) missed.push(pod.metadata.name);
    }
    from = metadata.continue === "" ? undefined : metadata.continue;
  }
  return { pods, missed, strangers };
}

const isStamped = ({ metadata: { labels, annotations } }: Pod): boolean =>
  labels?.["signet.dev/role"] === ROLE &&
  labels["signet.dev/segment"] === NAMESPACE &&
  labels["signet.dev/environment"] === "test" &&
  annotations?.["signet.dev/spiffe-id"] === `spiffe://${DOMAIN}/ns/${NAMESPACE}/sa/${ROLE}`;

const renewalsOf = (signet: Installed): number =>
  signet
    .replicas()
    .flatMap((replica) => replica.log())
    .filter(({ msg }) => msg === "The serving certificate was renewed.").length;

async function until(patienceMs: number, what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + patienceMs; !(await holds()); await sleep(100))
    if (Date.now() > end) throw new Error(`it did not come about that ${what}`);
}
