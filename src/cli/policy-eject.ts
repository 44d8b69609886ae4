import type { Command } from "commander";
import { formatInstant } from "../domain/instant.ts";
import { makeCatalogue } from "../domain/catalogue.ts";
import { ok, refuseAll, type Result } from "../domain/problem.ts";
import { scenesOf } from "../policy/analysis/scene.ts";
import type { Order } from "../policy/compile/compile.ts";
import { eject } from "../policy/compile/eject.ts";
import { lossesOf } from "../policy/compile/explain.ts";
import { type ImportedPolicy, importPolicies } from "../policy/compile/import.ts";
import { compare } from "../policy/compile/compare.ts";
import { kubernetesPlane } from "../policy/compile/plane.ts";
import { compileIntent } from "../policy/intent/intent.ts";
import { portsText } from "../policy/intent/words.ts";
import { readDefinitions } from "../wire/definitions.ts";
import { readObjects } from "../wire/objects.ts";
import { yamlStream } from "../wire/yaml-text.ts";
import { badInput, type Outcome } from "./action.ts";
import { readInventory } from "./inventory.ts";
import type { ExitCode, Io } from "./io.ts";
import { cataloguePath, noCatalogue } from "./load-catalogue.ts";
import { catalogueOption, withExamples } from "./options.ts";
import { collectTexts } from "./policy-compile.ts";
import { lossText } from "./policy-losses.ts";
import { readPodNetworks, siteOfInventory } from "./policy-site.ts";

type Options = { readonly catalogue?: string; readonly podCidr: readonly string[] };

const EXIT = "Exit codes: 0 the two mean the same, 1 they differ as said on standard error, 2 bad input.";

/** Adds `signet policy eject` and `signet policy import`. */
export function addEject(policy: Command, io: Io, outcome: Outcome): void {
  const ejecting = options(policy.command("eject"))
    .summary("sentences as plain NetworkPolicies that work without Signet (exit 1: they differ)")
    .description(
      "Writes sentences as NetworkPolicies that select by the workloads' own labels, and says in what they differ.",
    )
    .action((paths: readonly string[], given: Options) => {
      outcome.code = withOrder(io, paths, given, ejected);
    });
  withExamples(ejecting, ["policy eject deploy/ --catalogue policy/ --pod-cidr 10.244.0.0/16 > plain.yaml"], EXIT);
  const importing = options(policy.command("import"))
    .summary("NetworkPolicies of others as sentences (exit 1: they differ)")
    .description("Reads what policies let through between roles into sentences, and says in what the two differ.")
    .action((paths: readonly string[], given: Options) => {
      outcome.code = withOrder(io, paths, given, imported);
    });
  withExamples(importing, ["policy import deploy/ --catalogue policy/ > policy/imported.yaml"], EXIT);
}

const options = (command: Command): Command =>
  command
    .argument("<path...>", "files or folders of workloads and policies")
    .addOption(catalogueOption())
    .option("--pod-cidr <cidr>", "addresses that Pods have: never outside; repeatable", collectTexts, []);

function withOrder(
  io: Io,
  paths: readonly string[],
  given: Options,
  run: (io: Io, order: Order) => ExitCode,
): ExitCode {
  const named = cataloguePath(io, given.catalogue) === undefined ? noCatalogue() : ok(undefined);
  if (!named.ok) return badInput(io, named.problems);
  const inventory = readInventory(io, paths, given);
  const podNetworks = readPodNetworks(given.podCidr);
  if (!inventory.ok || !podNetworks.ok)
    return badInput(
      io,
      [inventory, podNetworks].flatMap((each) => (each.ok ? [] : each.problems)),
    );
  const { intent, members, world } = inventory.value;
  return run(io, {
    intent,
    members,
    site: siteOfInventory(inventory.value, podNetworks.value),
    targets: ["networkpolicy"],
    foreign: scenesOf(world)[0]?.policies ?? [],
    now: io.now(),
  });
}

function ejected(io: Io, order: Order): ExitCode {
  const done = eject(order);
  if (!done.ok) return badInput(io, done.problems);
  io.out(
    yamlStream(
      done.value.objects.map(({ metadata: { labels: _none, ...metadata }, ...object }) => ({ ...object, metadata })),
    ),
  );
  return told(io, done.value.differs.map(lossText), `as of ${formatInstant(order.now)}`);
}

function imported(io: Io, order: Order): ExitCode {
  const policies = importPolicies(order.intent, order.foreign, order.members);
  const text = yamlStream(policies.map(objectOf));
  io.out(text);
  const after = intentWith(order, text);
  if (!after.ok) return badInput(io, after.problems);
  const plane = kubernetesPlane(order.foreign);
  const field = { workloads: order.members, sources: [], destinations: [] };
  const { now } = order;
  const judged = { intent: after.value, now, target: "the policies read", planes: [plane], own: [plane] };
  return told(io, lossesOf(compare(judged, field)).map(lossText), "between the workloads read");
}

function told(io: Io, differs: readonly string[], where: string): ExitCode {
  io.err(differs.join(""));
  io.err(differs.length === 0 ? `The two mean the same ${where}.\n` : `They differ ${where} as said above.\n`);
  return differs.length === 0 ? 0 : 1;
}

const objectOf = ({ namespace, role, segment, sentences }: ImportedPolicy) => ({
  apiVersion: "signet.dev/v1alpha1",
  kind: "SegmentPolicy",
  metadata: { name: role, namespace },
  spec: {
    segment,
    allow: sentences.map(({ from, to, on }) => ({
      from: { role: from },
      to: { role: to },
      on: portsText(on).split(", "),
      why: "imported from the policies that were there",
    })),
  },
});

/** The intent with the sentences read, and none of those before. */
function intentWith({ intent }: Order, text: string): Result<Order["intent"]> {
  if (text === "") return ok(intent);
  const objects = readObjects([{ name: "imported", text }]);
  if (!objects.ok) return objects;
  const read = readDefinitions(objects.value.objects);
  if (!read.ok) return refuseAll(read.problems);
  const { definitions, revision } = intent.catalogue;
  return ok(compileIntent(makeCatalogue({ ...definitions, policies: read.value.policies }, revision)));
}
