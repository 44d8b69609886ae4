import { expect, vi } from "vitest";
import { accepted } from "../cluster/accepted.ts";
import type { Cluster } from "../cluster/boot.ts";

const PODS = "/api/v1/namespaces/web/pods";
const POLL = { timeout: 90_000, interval: 200 };

/** A container as its author writes it: nothing of certificates in it. */
export type Container = { readonly name: string; readonly image: string; readonly command: readonly string[] };

/** What a Pod of the namespace `web` is made of. */
export type PodWanted = {
  readonly name: string;
  readonly account: string;
  readonly containers: readonly Container[];
  readonly volumes?: readonly object[];
};

const bodyOf = ({ name, account, containers, volumes = [] }: PodWanted): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "web" },
  spec: {
    serviceAccountName: account,
    terminationGracePeriodSeconds: 1,
    volumes,
    containers: containers.map((each) => ({ ...each, imagePullPolicy: "Never" })),
  },
});

/** Resolves when admission gives such a Pod the volumes of its certificate: the signer is on. */
export async function untilDelivered(cluster: Cluster, pod: PodWanted): Promise<void> {
  await vi.waitFor(async () => {
    const { body } = await cluster.request("POST", `${PODS}?dryRun=All`, { body: bodyOf(pod) });
    expect(JSON.stringify(body)).toContain('"signerName":"signet.dev/svid"');
  }, POLL);
}

type Pod = { readonly status: { readonly phase: string; readonly podIP?: string } };

export const createPod = (cluster: Cluster, pod: PodWanted): Promise<unknown> =>
  accepted(cluster, "POST", PODS, { body: bodyOf(pod) });

/** Creates a Pod, and gives its address when it runs. */
export async function runPod(cluster: Cluster, pod: PodWanted): Promise<string> {
  await createPod(cluster, pod);
  return vi.waitFor(async () => {
    const { status } = (await cluster.request("GET", `${PODS}/${pod.name}`)).body as Pod;
    expect(status).toMatchObject({ phase: "Running", podIP: expect.any(String) });
    return status.podIP ?? "";
  }, POLL);
}

/** What a command inside a container of a Pod prints. */
export async function inside(cluster: Cluster, pod: string, container: string, command: string): Promise<string> {
  const where = ["exec", "--namespace=web", pod, `--container=${container}`, "--", "sh", "-c", command];
  return (await cluster.kubectl(where)).stdout;
}

/** Whole lines that a container has written so far. */
export async function linesOf(cluster: Cluster, pod: string, container: string): Promise<readonly string[]> {
  const { stdout } = await cluster.kubectl(["logs", "--namespace=web", pod, `--container=${container}`]);
  return stdout.split("\n").slice(0, -1);
}
