import { ok, refuse, type Result } from "../../domain/problem.ts";
import { decide, type Verdict } from "../evaluate/decide.ts";
import { makeEvaluator } from "../evaluate/evaluator.ts";
import type { Endpoint, Inside } from "../model/endpoint.ts";
import type { World } from "../model/world.ts";
import { meet, parseAddress, setOf } from "../sets/address-set.ts";
import { holds } from "../sets/intervals.ts";
import { portKey } from "../sets/port-set.ts";
import { isCalled, type OnePort } from "./focus.ts";
import { INGRESS_CONTROLLER, type Way, waysTo } from "./openings.ts";
import { outside } from "./outside.ts";
import { type Member, type NetworkName, type Scene, scenesOf } from "./scene.ts";

/** The answer on one network; `through` are the Ingress and Route objects that lead there, asked of the controller only. */
export type Answer = {
  readonly network: NetworkName;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly verdict: Verdict;
  readonly through?: readonly Way[];
  readonly allowed: boolean;
};

/** A yes/no question: may `from` reach `to` on this port? Names are workloads, Pods, addresses, or `ingress-controller`. */
export type Question = { readonly from: string; readonly to: string; readonly port: OnePort };

type End = { readonly endpoint: Endpoint; readonly member?: Member };

/**
 * Answers on every network that both ends are on; none if there is no such network, which is a no. Refuses a name that
 * nobody bears, or that several workloads bear.
 */
export function ask(world: World, question: Question): Result<readonly Answer[]> {
  const scenes = scenesOf(world);
  for (const name of [question.from, question.to]) {
    const found = bearers(scenes, name);
    if (found.length === 0 && !isOther(name))
      return refuse(
        "WORKLOAD_UNKNOWN",
        "",
        `Workload ${name} does not exist in the input resources.`,
        "Names are `name` or `namespace/name`, of a workload or of a Pod; or an IP address.",
      );
    if (found.length > 1)
      return refuse("WORKLOAD_UNKNOWN", "", `${name} is the name of ${found.join(" and ")}.`, "Write namespace/name.");
  }
  return ok(scenes.flatMap((scene) => answerOn(world, scene, question)));
}

const isOther = (name: string): boolean => name === "ingress-controller" || parseAddress(name) !== undefined;

/** The workloads of any network that go by a name. */
function bearers(scenes: readonly Scene[], name: string): readonly string[] {
  const found = scenes.flatMap(({ members }) => members.filter((member) => isNamed(member, name)));
  return [
    ...new Set(found.map(({ endpoint }) => `${endpoint.name.namespace}/${endpoint.name.name}[${endpoint.name.kind}]`)),
  ];
}

const isNamed = ({ endpoint, pods }: Member, name: string): boolean =>
  isCalled(endpoint, name) ||
  pods.some((pod) => pod.name === name || `${pod.namespace}/${pod.name}` === name) ||
  hasAddress(endpoint, name);

function hasAddress(endpoint: Inside, name: string): boolean {
  const address = parseAddress(name);
  return address !== undefined && meet(endpoint.traits.addresses, setOf(address));
}

function findEnd(scene: Scene, name: string): End | undefined {
  const member = scene.members.find((one) => isNamed(one, name));
  if (member) return { endpoint: member.endpoint, member };
  if (!scene.open) return undefined;
  if (name === "ingress-controller") return { endpoint: INGRESS_CONTROLLER };
  const address = parseAddress(name);
  return address ? { endpoint: outside(setOf(address)) } : undefined;
}

function answerOn(world: World, scene: Scene, { from, to, port }: Question): readonly Answer[] {
  const [source, destination] = [findEnd(scene, from), findEnd(scene, to)];
  if (!source || !destination || (!source.member && !destination.member)) return [];
  const evaluator = makeEvaluator(scene.policies);
  const key = portKey(port.protocol, port.port);
  const verdict = decide(evaluator, evaluator.classOf(source.endpoint), evaluator.classOf(destination.endpoint), key);
  const answer = { network: scene.network, source: source.endpoint, destination: destination.endpoint, verdict };
  if (source.endpoint.kind !== "ingress-controller" || !destination.member)
    return [{ ...answer, allowed: verdict.allowed }];
  const through = waysTo(world, destination.member).filter((way) => holds(way.ports, key));
  return [{ ...answer, through, allowed: verdict.allowed && through.length > 0 }];
}
