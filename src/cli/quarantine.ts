import type { Command } from "commander";
import { formatInstant } from "../domain/instant.ts";
import { ok, problem, refuse, type Result } from "../domain/problem.ts";
import { isRaw, type Raw, rawAt, textAt } from "../wire/read-object.ts";
import { badInput, type Outcome } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";
import type { KubeAccess, KubeChoice, KubeResource, OpenKube } from "./kube-access.ts";
import { withExamples } from "./options.ts";

type Options = KubeChoice & {
  readonly reason?: string;
  readonly ticket?: string;
  readonly lift?: boolean;
  readonly wait: string;
};

/** Waits so many milliseconds; bin/ provides it. */
export type Pause = (ms: number) => Promise<void>;

const signet = (kind: string, plural: string): KubeResource => ({
  group: "signet.dev",
  version: "v1alpha1",
  plural,
  kind,
  namespaced: false,
});
const RESTRICTIONS = signet("Restriction", "restrictions");
const TRUST_DOMAINS = signet("TrustDomain", "trustdomains");
const PODS: KubeResource = { group: "", version: "v1", plural: "pods", kind: "Pod", namespaced: true };
const NODES: KubeResource = { ...PODS, plural: "nodes", kind: "Node", namespaced: false };
const MACHINES: KubeResource = {
  group: "kubevirt.io",
  version: "v1",
  plural: "virtualmachineinstances",
  kind: "VirtualMachineInstance",
  namespaced: true,
};

const MORE = `WORKLOAD is NAMESPACE/NAME of a Pod or a virtual machine, or role/NAME, segment/NAME, node/NAME, identity/SPIFFE-ID. A Restriction is
made in the cluster: from then on no certificate is issued to whom it names and Signet's doors refuse those it has; targets
that deny above all policies do, and from all others every allow is withdrawn. The command waits until that is published,
says how long it took, and what stays open because policies of others open it.

Lifting deletes the Restriction: that takes the verb approve, and somebody other than its maker, or an approval by one.

Exit codes: 0 in effect, or lifted; 2 bad input; 3 not in effect (yet), or the cluster refused.`;

/** Adds `signet quarantine`. */
export const addQuarantineCommand =
  (open: OpenKube, pause: Pause) =>
  (program: Command, io: Io, outcome: Outcome): void => {
    const command = program
      .command("quarantine")
      .summary("cut a workload off, and see when it is (exit 3: something stays open)")
      .description("Cuts a workload off: connections, new certificates, and those it has. With --lift it is let back.")
      .argument("<workload>", "NAMESPACE/NAME, role/NAME, segment/NAME, node/NAME or identity/SPIFFE-ID")
      .option("--reason <text>", "why; needed but for --lift")
      .option("--ticket <id>", "where it was decided")
      .option("--lift", "end the quarantine")
      .option("--wait <seconds>", "how long to wait until it is in effect", "30")
      .option("--kubeconfig <file>", "the cluster's kubeconfig [KUBECONFIG]")
      .option("--context <name>", "context of the kubeconfig")
      .action(async (workload: string, options: Options) => {
        const kube = await open(options);
        outcome.code = kube.ok
          ? await run(io, { kube: kube.value, pause }, workload, options)
          : badInput(io, kube.problems);
      });
    withExamples(
      command,
      [
        "quarantine shop/web-7d4f9 --reason 'key in a log'",
        "quarantine node/n7 --reason rootkit",
        "quarantine shop/web-7d4f9 --lift",
      ],
      MORE,
    );
  };

type Means = { readonly kube: KubeAccess; readonly pause: Pause };

/** What a Restriction's `target` holds. */
type Target = Readonly<Record<string, string | Raw>>;

async function run(io: Io, means: Means, workload: string, options: Options): Promise<ExitCode> {
  const target = await targetOf(means.kube, workload, options.lift === true);
  if (!target.ok) return badInput(io, target.problems);
  if (options.lift) return lift(io, means.kube, workload, target.value);
  const { reason, ticket } = options;
  if (reason === undefined) return badInput(io, [NO_REASON]);
  const began = io.now();
  const name = `q-${formatInstant(began).replace(/[:T]/g, "-").replace("Z", "").toLowerCase()}`;
  const spec = { target: target.value, effect: "quarantine", reason, ...(ticket === undefined ? {} : { ticket }) };
  const made = await means.kube.create(RESTRICTIONS, {
    apiVersion: "signet.dev/v1alpha1",
    kind: "Restriction",
    metadata: { name },
    spec,
  });
  if (!made.ok) {
    badInput(io, made.problems);
    return 3;
  }
  io.out(`Restriction ${name} stands against ${workload}.\n`);
  io.out(await trustText(means.kube));
  return watch(io, means, { name, began, mostMs: Number(options.wait) * 1_000 });
}

const NO_REASON = problem("USAGE", "--reason", "A quarantine needs a reason.", "Write --reason and why.");

const WHOLE = ["role", "segment", "identity"] as const;

/** By name and, where it is there now, by UID: another one of that name is not meant. Lifting finds it by name alone. */
async function targetOf(kube: KubeAccess, workload: string, byName: boolean): Promise<Result<Target>> {
  const slash = workload.indexOf("/");
  const [first, rest] = [workload.slice(0, slash), workload.slice(slash + 1)];
  if (slash <= 0 || rest === "")
    return refuse("USAGE", "", `"${workload}" names no workload.`, "Write NAMESPACE/NAME, or role/NAME, node/NAME ….");
  const whole = WHOLE.find((one) => one === first);
  if (whole) return ok({ [whole]: rest });
  if (first === "node") return byName ? ok({ node: { name: rest } }) : found(kube, NODES, "node", { name: rest });
  const object = { namespace: first, name: rest };
  return byName ? ok({ pod: object, virtualMachine: object }) : runningOf(kube, workload, object);
}

/** A Pod, or else a virtual machine. */
async function runningOf(
  kube: KubeAccess,
  workload: string,
  object: { readonly namespace: string; readonly name: string },
): Promise<Result<Target>> {
  const pod = await found(kube, PODS, "pod", object);
  // An instance is made anew under its machine's name: the name is meant, and no UID.
  const machine = pod.ok ? pod : await kube.get(MACHINES, object);
  if (machine.ok) return pod.ok ? pod : ok({ virtualMachine: object });
  return refuse(
    "WORKLOAD_UNKNOWN",
    "",
    `There is no Pod and no virtual machine ${workload}.`,
    "Name its role (role/NAME) to cut off all that hold it.",
  );
}

async function found(
  kube: KubeAccess,
  resource: KubeResource,
  field: "pod" | "node",
  object: { readonly namespace?: string; readonly name: string },
): Promise<Result<Target>> {
  const live = await kube.get(resource, object);
  if (!live.ok) return live;
  const uid = textAt(rawAt(live.value, "metadata"), "uid");
  return ok({ [field]: { ...object, ...(uid === undefined ? {} : { uid }) } });
}

/** Until when who verifies by the bundle alone trusts a certificate, at most. */
async function trustText(kube: KubeAccess): Promise<string> {
  const found = await kube.get(TRUST_DOMAINS, { name: "local" });
  const spec = found.ok ? rawAt(rawAt(rawAt(found.value, "status"), "approved"), "spec") : {};
  const most = textAt(rawAt(spec, "leaf"), "maxTTL");
  const bound = most === undefined ? "until they end" : `for at most ${most}`;
  return `No certificate is issued to it, and Signet's doors refuse those it has; who verifies by the bundle alone trusts them ${bound}.\n`;
}

const POLL_MS = 100;

type Waiting = { readonly name: string; readonly began: number; readonly mostMs: number };

/** What a server says that waiting would not change. */
const FINAL: ReadonlySet<string> = new Set(["OpenStill", "NoTarget"]);

async function watch(io: Io, { kube, pause }: Means, { name, began, mostMs }: Waiting): Promise<ExitCode> {
  for (;;) {
    const { holds, reason, message } = await inEffect(kube, name);
    const late = io.now() - began;
    if (holds || late >= mostMs || FINAL.has(reason)) {
      io.out(`${holds ? "In effect" : "Not in effect"} after ${(late / 1_000).toFixed(1)} s: ${message}\n`);
      return holds ? 0 : 3;
    }
    await pause(POLL_MS);
  }
}

/** The condition InEffect as it is now. */
async function inEffect(kube: KubeAccess, name: string) {
  const found = await kube.get(RESTRICTIONS, { name });
  const { conditions } = found.ok ? rawAt(found.value, "status") : {};
  const all = Array.isArray(conditions) ? conditions.filter(isRaw) : [];
  const said = all.find(({ type }) => type === "InEffect") ?? {};
  return {
    holds: said["status"] === "True",
    reason: textAt(said, "reason") ?? "",
    message: textAt(said, "message") ?? "No server says that it is; is one running?",
  };
}

async function lift(io: Io, kube: KubeAccess, workload: string, target: Target): Promise<ExitCode> {
  const listed = await kube.list(RESTRICTIONS);
  if (!listed.ok) return badInput(io, listed.problems);
  const meant = listed.value.items.filter((raw) => isMeant(rawAt(raw, "spec"), target));
  if (meant.length === 0) {
    io.err(`signet: No quarantine stands against ${workload}. [NOT_FOUND]\n`);
    return 2;
  }
  let refused = false;
  for (const raw of meant) {
    const name = textAt(rawAt(raw, "metadata"), "name") ?? "";
    const done = await kube.remove(RESTRICTIONS, { name });
    if (done.ok) io.out(`Restriction ${name} is lifted.\n`);
    else {
      refused = true;
      badInput(io, done.problems);
      io.err(`        Somebody else who may approve lifts it: signet quarantine ${workload} --lift\n`);
    }
  }
  return refused ? 3 : 0;
}

/** Names, and not UIDs: what was cut off may be gone. */
function isMeant(spec: Raw, target: Target): boolean {
  if (spec["effect"] !== "quarantine") return false;
  const found = rawAt(spec, "target");
  return Object.entries(target).some(([field, wanted]) => {
    const named = found[field];
    if (typeof wanted === "string") return named === wanted;
    return isRaw(named) && named["name"] === wanted["name"] && named["namespace"] === wanted["namespace"];
  });
}
