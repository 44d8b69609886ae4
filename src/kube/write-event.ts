import { hash } from "node:crypto";
import type { EventAction } from "../reconcile/events.ts";
import type { KubeClient } from "./client.ts";
import type { Resource } from "./resources.ts";

const EVENTS: Resource = { group: "events.k8s.io", version: "v1", plural: "events", kind: "Event", namespaced: true };

/** Who writes, as Events tell it. */
export type Reporter = { readonly controller: string; readonly instance: string };

/** Writes an Event beside its object; a server that refuses it, or an outage, is no harm: gives whether it is there. */
export async function writeEvent(
  client: Pick<KubeClient, "create">,
  action: EventAction,
  { controller, instance }: Reporter,
  wallMs: number,
): Promise<boolean> {
  const { regarding, type, reason, note } = action;
  const event = {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { namespace: regarding.namespace, name: eventName(action, wallMs) },
    eventTime: `${new Date(wallMs).toISOString().slice(0, -1)}000Z`,
    reportingController: controller,
    reportingInstance: instance,
    action: action.action,
    regarding: { apiVersion: "v1", ...regarding },
    type,
    reason,
    note,
  };
  return client.create(EVENTS, event).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Names as client-go gives them: the object's, and something that does not come twice. */
const eventName = ({ regarding, reason, note }: EventAction, wallMs: number): string =>
  `${regarding.name.slice(0, 230)}.${hash("sha256", `${regarding.uid} ${wallMs} ${reason} ${note}`).slice(0, 16)}`;
