import { expect, test } from "vitest";
import { ok, refuse, type Result } from "../../src/domain/problem.ts";
import { LiveMachines } from "../../src/kube/machines.ts";
import type { Raw } from "../../src/wire/read-object.ts";
import { makeFakeClock } from "../fakes/clock.ts";
import { quietLog } from "../fakes/quiet-log.ts";

const INSTANCE: Raw = {
  apiVersion: "kubevirt.io/v1",
  kind: "VirtualMachineInstance",
  metadata: { name: "vm", namespace: "shop", uid: "vmi-1" },
  spec: { serviceAccountName: "vm" },
  status: { activePods: { "pod-1": "node-1", "pod-2": "node-2" } },
};

/** What is found of instance vm with UID vmi-1 where the API server answers so. */
async function looked(answer: () => Promise<Result<Raw>>): Promise<unknown> {
  const machines = new LiveMachines({
    client: { get: answer },
    connection: undefined as never,
    clock: makeFakeClock(),
    random: () => 0.5,
    log: quietLog,
    lookMs: 1000,
  });
  const { machine, launchers } = await machines.look("shop", { name: "vm", uid: "vmi-1" });
  return [typeof machine === "string" ? machine : machine.object.name, launchers];
}

test("an instance is read with the Pods that launch it; what goes wrong is unknown, not absent", async () => {
  expect([
    await looked(async () => ok(INSTANCE)),
    await looked(async () => ok({ ...INSTANCE, metadata: { name: "vm", namespace: "shop", uid: "vmi-2" } })),
    await looked(async () => refuse("NOT_FOUND", "", "none")),
    await looked(async () => refuse("API_FORBIDDEN", "", "no")),
    await looked(async () => {
      throw new Error("away");
    }),
  ]).toEqual([
    ["vm", ["pod-1", "pod-2"]],
    ["none", []],
    ["none", []],
    ["unknown", []],
    ["unknown", []],
  ]);
});
