import { ok, refuse, type Result } from "../../domain/problem.ts";
import { scenesOf } from "../analysis/scene.ts";
import { decide, type Verdict } from "../evaluate/decide.ts";
import { type Evaluator, makeEvaluator } from "../evaluate/evaluator.ts";
import type { ForeignObject } from "../foreign/object.ts";
import { type ReadOptions, readWorld } from "../foreign/world.ts";
import type { World } from "../model/world.ts";
import { portKey } from "../sets/port-set.ts";
import type { ProbeAction, ProbeTest, Target } from "./expectations.ts";
import { patched } from "./json-patch.ts";
import { podAddress, withReplicas } from "./replicas.ts";

/** One poke with what was expected and what the policies give. */
export type Poked = {
  readonly step: string;
  readonly poke: Extract<ProbeAction, { kind: "poke" }>;
  readonly verdict: Verdict;
  readonly agrees: boolean;
};

/** What the policies are when a poke is made. */
export type ProbeState = {
  readonly objects: readonly ForeignObject[];
  readonly world: World;
  readonly evaluator: Evaluator;
};

/** A poke that is to be made, and on what. */
export type ProbeQuestion = { readonly step: string; readonly poke: Poked["poke"]; readonly state: ProbeState };

/** Runs one test from a fresh state: actions in order, each on the state that the one before left. */
export function runProbes(
  objects: readonly ForeignObject[],
  test: ProbeTest,
  options: ReadOptions,
): Result<readonly Poked[]> {
  const questions = probeQuestions(objects, test, options);
  if (!questions.ok) return questions;
  const poked: Poked[] = [];
  for (const question of questions.value) {
    const done = answer(question);
    if (!done.ok) return done;
    poked.push(done.value);
  }
  return ok(poked);
}

/** The pokes of one test in their order, each with the state that the changes before it left. */
export function probeQuestions(
  objects: readonly ForeignObject[],
  test: ProbeTest,
  options: ReadOptions,
): Result<readonly ProbeQuestion[]> {
  let state = stateOf(objects, options);
  const questions: ProbeQuestion[] = [];
  for (const { name: step, actions } of test.steps)
    for (const action of actions) {
      if (!state.ok) return state;
      if (action.kind === "poke") questions.push({ step, poke: action, state: state.value });
      else {
        const changed = change(state.value, action);
        state = changed.ok ? stateOf(changed.value, options) : changed;
      }
    }
  return state.ok ? ok(questions) : state;
}

function stateOf(objects: readonly ForeignObject[], options: ReadOptions): Result<ProbeState> {
  const world = readWorld(objects, options);
  return world.ok
    ? ok({ objects, world: withReplicas(world.value), evaluator: makeEvaluator(world.value.policies) })
    : world;
}

function answer({ step, poke: action, state: { world, evaluator } }: ProbeQuestion): Result<Poked> {
  const members = scenesOf(world, "pod").flatMap((scene) => scene.members);
  const find = (name: string) =>
    members.find(({ endpoint }) => `${endpoint.name.namespace}/${endpoint.name.name}` === name)?.endpoint;
  const [from, to] = [find(action.from), find(action.to)];
  if (!from || !to)
    return refuse("WORKLOAD_UNKNOWN", "", `There is no Pod ${from ? action.to : action.from} in the manifests.`);
  const key = portKey(action.port.protocol, action.port.port);
  const verdict = decide(evaluator, evaluator.classOf(from), evaluator.classOf(to), key);
  return ok({ step, poke: action, verdict, agrees: verdict.allowed === action.expect });
}

function change(state: ProbeState, action: Exclude<ProbeAction, { kind: "poke" }>): Result<readonly ForeignObject[]> {
  const index = state.objects.findIndex((object) => isTarget(object.value, action.target));
  const object = state.objects[index];
  if (!object)
    return refuse("NOT_FOUND", "", `There is no ${action.target.kind} ${action.target.name} in the manifests.`);
  if (action.kind === "delete") return ok(state.objects.toSpliced(index, 1));
  const operations = action.operations.map((operation) =>
    "value" in operation ? { ...operation, value: withAddresses(operation.value, state.world) } : operation,
  );
  const value = patched(object.value, operations);
  return value.ok ? ok(state.objects.with(index, { ...object, value: value.value })) : value;
}

function isTarget(value: unknown, target: Target): boolean {
  const object = value as { kind?: unknown; metadata?: { name?: unknown; namespace?: unknown } } | null;
  return (
    object?.kind === target.kind &&
    object.metadata?.name === target.name &&
    (target.namespace === undefined || (object.metadata.namespace ?? "default") === target.namespace)
  );
}

const POD_IP = "podIP:";

/** Replaces every text `podIP:<namespace>/<pod>` by the Pod's address. */
function withAddresses(value: unknown, world: World): unknown {
  if (typeof value === "string" && value.startsWith(POD_IP))
    return podAddress(world, value.slice(POD_IP.length)) ?? value;
  if (Array.isArray(value)) return value.map((item) => withAddresses(item, world));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withAddresses(item, world)]));
}
