import { setTimeout as sleep } from "node:timers/promises";
import { accepted } from "../accepted.ts";
import type { ApiClient } from "../api.ts";

type Pods = { readonly items: readonly { readonly metadata: { readonly namespace: string; readonly name: string } }[] };

/** Deletes every Pod of a node that takes no new ones, and resolves when kubelet has given back all they held. */
export async function emptyNode(admin: ApiClient, name: string): Promise<void> {
  const list = `/api/v1/pods?fieldSelector=spec.nodeName%3D${name}`;
  for (let tries = 0; tries < 600; tries++) {
    const { items } = (await admin.request("GET", list)).body as Pods;
    if (items.length === 0) return;
    const body = { gracePeriodSeconds: 1 };
    if (tries % 50 === 0)
      for (const { metadata } of items)
        await admin.request("DELETE", `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`, { body });
    await sleep(100);
  }
  throw new Error(`the Pods of ${name} are not gone after a minute`);
}

/** Lets the node take new Pods, or none. */
export async function setSchedulable(admin: ApiClient, name: string, schedulable: boolean): Promise<void> {
  const body = { spec: { unschedulable: !schedulable } };
  await accepted(admin, "PATCH", `/api/v1/nodes/${name}`, { body, contentType: "application/merge-patch+json" });
}
