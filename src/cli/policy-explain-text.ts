import {
  type ExplainedScene,
  type Explanation,
  isDefault,
  isWhollyDefault,
  type Reasoned,
} from "../policy/analysis/explain.ts";
import type { Focus } from "../policy/analysis/focus.ts";
import type { BoundRule } from "../policy/evaluate/evaluator.ts";
import type { Slice } from "../policy/evaluate/slices.ts";
import type { Endpoint } from "../policy/model/endpoint.ts";
import { type Direction, type Policy, policyName } from "../policy/model/policy.ts";
import { type PortSet, type Protocol, rangesOf, rangesText } from "../policy/sets/port-set.ts";
import { networkText } from "./policy-listing-text.ts";

const DEFAULT = "the system default (Allow all)";
const RULE = "-".repeat(160);

/** The explanations in np-guard's form: pairs with reasons first, then those that are open by default. */
export function renderExplainText(scenes: readonly ExplainedScene[], focus: Focus): string {
  const several = scenes.length > 1;
  const blocks = scenes.flatMap(({ scene, explanations }) => {
    const where = several ? ` in ${networkText(scene.network, "pod-network")}` : "";
    const wholly = explanations.filter((one) => !focus.conn && isWhollyDefault(one));
    const specific = explanations.filter((one) => !wholly.includes(one));
    return [
      ...(specific.length > 0
        ? [`${banner(`Specific connections and their reasons${where}`)}${specific.map(explanationText).join("\n")}`]
        : []),
      ...(wholly.length > 0
        ? [`${banner(`All Connections due to ${DEFAULT}${where}`)}${wholly.map(pairLine).join("")}`]
        : []),
    ];
  });
  const isolated = scenes.filter(({ scene }) => scene.open && scene.members.length > 0).length > 1;
  const note =
    "*** Note: Connections between any peers from separate isolated networks are denied by default and therefore not listed in this report.\n";
  return `${blocks.map((block) => `\n${block}`).join("")}${isolated && !focus.conn ? `\n${note}` : ""}`;
}

const banner = (title: string): string => {
  const frame = "#".repeat(title.length + 4);
  return `${frame}\n# ${title} #\n${frame}\n`;
};

const pairLine = ({ source, destination }: Explanation): string => `${source.text} => ${destination.text}\n`;

function explanationText(explanation: Explanation): string {
  const { source, destination } = explanation;
  const [allowed, denied] = [true, false].map((half) => groupsText(explanation, half));
  return [
    RULE,
    `Connections between ${source.text} => ${destination.text}:`,
    "",
    ...(allowed ? ["Allowed connections:", allowed] : []),
    ...(denied ? ["Denied connections:", denied] : []),
  ].join("\n");
}

function groupsText(explanation: Explanation, half: boolean): string {
  const groups = new Map<string, PortSet>();
  for (const part of explanation.parts.filter(({ allowed }) => allowed === half)) {
    const reason = reasonText(part, explanation);
    groups.set(reason, [...(groups.get(reason) ?? []), ...part.ports]);
  }
  if (!half && explanation.isolatedBy) groups.set(isolationText(explanation.isolatedBy), explanation.isolatedBy.ports);
  return [...groups]
    .map(([reason, ports]) => `\t${half ? "Allowed" : "Denied"} ${explainedPorts(ports)} ${reason}`)
    .sort()
    .map((group) => `${group}\n`)
    .join("\n");
}

const EXPLAINED: readonly Protocol[] = ["TCP", "UDP", "SCTP"];

/** `TCP:[1-79,81-65535], UDP, SCTP`. */
function explainedPorts(ports: PortSet): string {
  return EXPLAINED.map((protocol) => ({ protocol, ranges: rangesText(rangesOf(ports, protocol)) }))
    .filter(({ ranges }) => ranges !== "")
    .map(({ protocol, ranges }) => (ranges === "1-65535" ? protocol : `${protocol}:[${ranges}]`))
    .join(", ");
}

function isolationText({ ends }: NonNullable<Explanation["isolatedBy"]>): string {
  const kinds = { UDN: "UserDefinedNetwork", CUDN: "ClusterUserDefinedNetwork" } as const;
  const because = ends
    .map(({ network, end }) =>
      network.kind === "UDN" || network.kind === "CUDN"
        ? `${kinds[network.kind]} '${network.name}' isolates ${end.text}`
        : "",
    )
    .join("; and ");
  return [
    "due to existence of user defined networks:",
    "\t\tEgress ",
    `\t\t\t${because}`,
    "\t\tIngress ",
    `\t\t\t${because}`,
  ].join("\n");
}

function reasonText(part: Reasoned, { source, destination }: Explanation): string {
  if (isDefault(part)) return `due to ${DEFAULT}`;
  const secondary = [part.egress, part.ingress].some(isSecondary);
  const doors = [
    doorText({ title: "Egress", direction: "egress", subject: source, other: destination }, part.egress, []),
    doorText(
      { title: "Ingress", direction: "ingress", subject: destination, other: source },
      part.ingress,
      waysText(part),
    ),
  ];
  const shown = secondary ? doors.filter((door) => !door.endsWith(`due to ${DEFAULT}`)) : doors;
  return ["due to the following policies and rules:", ...shown].join("\n");
}

const isSecondary = ({ because }: Slice): boolean =>
  (because.kind === "rules" && because.rules.some(({ policy }) => policy.kind === "MultiNetworkPolicy")) ||
  (because.kind === "isolated" && because.by.some(({ policy }) => policy.kind === "MultiNetworkPolicy"));

const waysText = ({ through }: Reasoned): readonly string[] =>
  (through?.ways ?? []).map(({ opening, service }) => {
    const name = `${opening.kind} '${opening.namespace}/${opening.name}'`;
    return through?.open
      ? `${name} allows ingress connections through service ${service}`
      : `${name} allows ingress to service ${service}, but the protocols and ports do not match`;
  });

/** A door as the text speaks of it: whose it is, and who stands at the far end. */
type ShownDoor = {
  readonly title: "Egress" | "Ingress";
  readonly direction: Direction;
  readonly subject: Endpoint;
  readonly other: Endpoint;
};

function doorText(door: ShownDoor, slice: Slice, ways: readonly string[]): string {
  const { title } = door;
  const lines = [...slice.passes.map((bound) => tierText(bound, title)), ...becauseLines(door, slice)];
  const [only] = lines;
  if (ways.length === 0 && lines.length === 1 && only === DEFAULT) return `\t\t${title} (Allowed) due to ${DEFAULT}`;
  const shown = ways.length > 0 ? [...ways, ...lines.filter((line) => line !== DEFAULT)] : lines;
  const allowed = slice.allowed && !ways.some((way) => way.endsWith("do not match"));
  return [`\t\t${title} (${allowed ? "Allowed" : "Denied"})`, ...shown.map((line) => `\t\t\t${line}`)].join("\n");
}

const VERBS = { allow: "allows", deny: "denies", pass: "passes" } as const;

const tierText = ({ policy, rule }: BoundRule, title: string): string =>
  `${policy.kind} '${policyName(policy)}' ${VERBS[rule.action]} connections by ${title} rule ${rule.name ?? `#${rule.index}`}`;

function becauseLines(door: ShownDoor, { because }: Slice): readonly string[] {
  if (because.kind === "default") return [DEFAULT];
  if (because.kind === "isolated")
    return listed(because.by.map(({ policy, near }) => ({ policy, text: isolatedText(door, policy, near) })));
  const byPolicy = new Map<Policy, BoundRule[]>();
  for (const bound of because.rules) byPolicy.set(bound.policy, [...(byPolicy.get(bound.policy) ?? []), bound]);
  return listed([...byPolicy].map(([policy, rules]) => ({ policy, text: allowedText(policy, rules, door.title) })));
}

/** Several policies are listed under a heading, in the order of their names. */
function listed(entries: readonly { readonly policy: Policy; readonly text: string }[]): readonly string[] {
  const [first] = entries;
  if (!first || entries.length === 1) return first ? [first.text] : [];
  return [`${first.policy.kind} list:`, ...entries.map(({ text }) => `\t- ${text}`).sort()];
}

const allowedText = (policy: Policy, rules: readonly BoundRule[], title: string): string => {
  const [first] = rules;
  if (first && policy.tier !== "network") return tierText(first, title);
  return `${policy.kind} '${policyName(policy)}' allows connections by ${title} ${ruleNumbers(rules)}`;
};

const ruleNumbers = (rules: readonly BoundRule[]): string =>
  rules.length === 1
    ? `rule #${rules[0]?.rule.index}`
    : `rules ${rules.map(({ rule }) => `#${rule.index}`).join(", ")}`;

function isolatedText(door: ShownDoor, policy: Policy, near: readonly BoundRule[]): string {
  const { title, direction, subject, other } = door;
  const name = `${policy.kind} '${policyName(policy)}' selects ${subject.text}`;
  if (near.length > 0)
    return `${name}, and ${title} ${ruleNumbers(near)} selects ${other.text}, but the protocols and ports do not match`;
  const none = policy.rules[direction]?.length === 0 ? " (no rules defined)" : "";
  return `${name}, but ${other.text} is not allowed by any ${title} rule${none}`;
}
