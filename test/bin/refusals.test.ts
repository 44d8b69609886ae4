import { expect, test } from "vitest";
import { validate } from "../../src/admission/gate.ts";
import { makeRefusals } from "../../src/bin/cluster/refusals.ts";
import { ok, refuse, type Result } from "../../src/domain/problem.ts";
import type { EventAction } from "../../src/reconcile/events.ts";
import { readReview } from "../../src/wire/admission-review.ts";
import type { Raw } from "../../src/wire/read-object.ts";
import { catalogueOf, must, NOON } from "../fakes/judging.ts";
import { quietLog } from "../fakes/quiet-log.ts";
import { pod, review } from "../fakes/web.ts";

const CATALOGUE = catalogueOf(
  `{apiVersion: v1, kind: Namespace, metadata: {name: web, labels: {signet.dev/enrol: "true"}}}`,
);

const REPLICA_SET: Raw = {
  metadata: {
    name: "web-1",
    uid: "rs",
    ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", name: "web", uid: "d", controller: true }],
  },
};

/** Refuses a Pod of the controller, and gives whom that was told to. */
async function toldAbout(owner: object, found: Result<Raw>): Promise<readonly string[]> {
  const told: EventAction[] = [];
  const get = async (): Promise<Result<Raw>> => found;
  const tell = makeRefusals({ client: { get }, log: quietLog, events: { emit: (event) => void told.push(event) } });
  const object = pod({ name: "web-1-abc", generateName: undefined, ownerReferences: [owner] });
  const { request } = must(readReview(JSON.stringify(review({ namespace: "web", object }))));
  const asked = must(request);
  const answer = validate(CATALOGUE, asked, { now: NOON });
  tell({ webhook: "validate", at: NOON, revision: "1", namespace: "web", request: asked, answer });
  await new Promise((resolve) => setImmediate(resolve));
  return told.map(
    ({ regarding, reason }) => `${regarding.kind} ${regarding.namespace}/${regarding.name} ${regarding.uid} ${reason}`,
  );
}

const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-1", uid: "rs", controller: true };

test("the ReplicaSet of a refused Pod is told, and the Deployment behind it", async () => {
  expect(await toldAbout(owner, ok(REPLICA_SET))).toEqual([
    "ReplicaSet web/web-1 rs RoleNone",
    "Deployment web/web d RoleNone",
  ]);
});

test("a ReplicaSet of another UID has nothing to do with it", async () => {
  expect(await toldAbout({ ...owner, uid: "older" }, ok(REPLICA_SET))).toEqual(["ReplicaSet web/web-1 older RoleNone"]);
});

test("a StatefulSet stands for itself, and one that cannot be read too", async () => {
  expect(await toldAbout({ ...owner, kind: "StatefulSet" }, ok(REPLICA_SET))).toEqual([
    "StatefulSet web/web-1 rs RoleNone",
  ]);
  expect(await toldAbout(owner, refuse("NOT_FOUND", "", "gone"))).toEqual(["ReplicaSet web/web-1 rs RoleNone"]);
});
