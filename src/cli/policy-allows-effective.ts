import { endText, type Passage, passageText } from "../domain/flow.ts";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { ok, problem, refuse, type Result } from "../domain/problem.ts";
import type { EffectiveEnd } from "../policy/effective/end.ts";
import {
  type EffectiveFlow,
  type EffectiveVerdict,
  effectiveVerdict,
  type ForeignVerdict,
} from "../policy/effective/verdict.ts";
import { dataText } from "../policy/intent/data.ts";
import { nearMisses } from "../policy/intent/near-misses.ts";
import { rulingsOf } from "../policy/intent/verdict.ts";
import { endWithRole, reasonText } from "../policy/intent/words.ts";
import { badInput } from "./action.ts";
import { findEnd, parseData, parsePassage } from "./flow-question.ts";
import { type Inventory, readInventory } from "./inventory.ts";
import { inventoryReach, shownEnd } from "./inventory-reach.ts";
import type { ExitCode, Io } from "./io.ts";
import { warn } from "./policy-input.ts";
import { doorLines, doorReason } from "./policy-reasons.ts";

/** How both verdicts are asked for. */
export type EffectiveOptions = {
  readonly output: string;
  readonly catalogue?: string;
  readonly data?: string;
  readonly at?: Instant;
};

/** A question as it stands on the command line. */
export type Asked = { readonly from: string; readonly to: string; readonly port: string };

/** Answers one question under our own kinds and the foreign policies: both must allow. */
export function effectiveAllows(io: Io, dir: string, asked: Asked, options: EffectiveOptions): ExitCode {
  if (options.output !== "text" && options.output !== "json")
    return badInput(io, [problem("USAGE", "--output", `"${options.output}" is neither text nor json.`)]);
  const inventory = readInventory(io, [dir], options);
  if (!inventory.ok) return badInput(io, inventory.problems);
  const flow = readFlow(inventory.value, asked, options);
  if (!flow.ok) return badInput(io, flow.problems);
  warn(io, inventory.value.world.warnings);
  const answer = answerTo(inventory.value, flow.value, options.at ?? io.now());
  io.out(options.output === "json" ? renderJson(answer) : renderText(answer));
  return answer.verdict.allowed ? 0 : 3;
}

function readFlow(inventory: Inventory, asked: Asked, options: EffectiveOptions): Result<EffectiveFlow> {
  const passage = parsePassage(asked.port);
  if (!passage) return refuse("USAGE", "", `"${asked.port}" is no port such as TCP/5432 or icmp/8.`);
  const [from, to] = [findEnd(inventory, asked.from), findEnd(inventory, asked.to)];
  if (!from.ok) return from;
  if (!to.ok) return to;
  const data = parseData(options.data);
  return ok({ from: from.value, to: to.value, passage, ...(data ? { data } : {}) });
}

function answerTo(inventory: Inventory, flow: EffectiveFlow, now: Instant): Answer {
  const { intent } = inventory;
  const verdict = effectiveVerdict(intent, inventoryReach(inventory, now).evaluator, flow, now);
  const asked = { ...flow, from: flow.from.end, to: flow.to.end };
  return { ...flow, verdict, missed: verdict.ours.allowed ? [] : nearMisses(intent, asked, now), now };
}

type Answer = {
  readonly from: EffectiveEnd;
  readonly to: EffectiveEnd;
  readonly passage: Passage;
  readonly verdict: EffectiveVerdict;
  readonly missed: readonly string[];
  readonly now: Instant;
};

function renderJson({ from, to, passage, verdict, missed, now }: Answer): string {
  const { ours, foreign } = verdict;
  const door = (one: typeof ours.egress) => ({ allowed: one.allowed, reason: reasonText(one.reason) });
  const rules = rulingsOf(ours.reason).map(({ object, path, source }) => ({
    object,
    path,
    ...(source ? { file: source.file, line: source.line } : {}),
  }));
  const view = {
    allowed: verdict.allowed,
    from: shownEnd(from),
    to: shownEnd(to),
    on: passageText(passage),
    at: formatInstant(now),
    ours: {
      allowed: ours.allowed,
      decidedBy: ours.reason.kind,
      reason: reasonText(ours.reason),
      rules,
      egress: door(ours.egress),
      ingress: door(ours.ingress),
      data: ours.data,
      approval: ours.approval,
      nearMisses: missed,
    },
    foreign: foreign.ports
      ? {
          allowed: foreign.allowed,
          egress: doorReason(foreign.ports.egress),
          ingress: doorReason(foreign.ports.ingress),
        }
      : { allowed: foreign.allowed },
  };
  return `${JSON.stringify(view, null, 2)}\n`;
}

function renderText({ from, to, passage, verdict, missed }: Answer): string {
  const { ours, foreign } = verdict;
  const named = (one: EffectiveEnd): string => (one.end.kind === "workload" ? endWithRole(one.end) : endText(one.end));
  const limits = ours.data === "any" ? [] : [`  data:    ${ours.data.map(dataText).join("; or ")} only`];
  return [
    `${verdict.allowed ? "allowed" : "denied"}: ${named(from)} => ${named(to)} on ${passageText(passage)}`,
    `  signet:  ${ours.allowed ? "allowed" : "denied"}: ${reasonText(ours.reason)}`,
    `    egress:  ${ours.egress.allowed ? "open" : "closed"}: ${reasonText(ours.egress.reason)}`,
    `    ingress: ${ours.ingress.allowed ? "open" : "closed"}: ${reasonText(ours.ingress.reason)}`,
    ...limits,
    ...missed.map((line) => `    near:    ${line}`),
    ...(ours.approval === "unchecked" ? ["    approval: unchecked (a folder carries no approvals)"] : []),
    `  others:  ${foreign.allowed ? "allowed" : "denied"}`,
    ...foreignLines(foreign),
    "",
  ].join("\n");
}

function foreignLines({ ports }: ForeignVerdict): readonly string[] {
  if (!ports) return ["    network policies speak of ports; ICMP passes where they limit nothing"];
  return [
    ...doorLines(ports.egress, "egress").map((line) => `    egress:  ${line}`),
    ...doorLines(ports.ingress, "ingress").map((line) => `    ingress: ${line}`),
  ];
}
