import type { Command } from "commander";
import { problem } from "../domain/problem.ts";
import { parseOnePort } from "../policy/analysis/focus.ts";
import { type Answer, ask, type Question } from "../policy/analysis/question.ts";
import { badInput, type Outcome } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";
import { atOption } from "./options.ts";
import { effectiveAllows, type EffectiveOptions } from "./policy-allows-effective.ts";
import { readManifests, warn } from "./policy-input.ts";
import { networkText } from "./policy-listing-text.ts";
import { doorLines, doorReason } from "./policy-reasons.ts";

type Options = EffectiveOptions & { readonly multipleNetworks?: boolean };

/** Adds `signet policy allows`: one yes/no question, with the rule that decided at each door. */
export function addAllows(policy: Command, io: Io, outcome: Outcome): void {
  policy
    .command("allows")
    .description("whether one end may reach another on a port, and which rules decide (exit 0: allowed, 3: denied)")
    .argument("<dir>", "folder or file of manifests")
    .argument("<from>", "workload, Pod, IP address, or ingress-controller")
    .argument("<to>", "workload, Pod, or IP address")
    .argument("<port>", "protocol and port, as TCP/5432")
    .option("-o, --output <format>", "text or json", "text")
    .option("-c, --catalogue <dir>", "also count the sentences, guardrails and segments of this folder")
    .option("--data <words>", "with --catalogue: the data asked for, as postgres,select,orders or http,GET,/api")
    .addOption(atOption())
    .option("--multiple-networks", "count user-defined networks, network attachments and VirtualMachines")
    .action((...[dir, from, to, port, options]: Given) => {
      outcome.code = allowsCommand(io, dir, { from, to, port }, options);
    });
}

type Given = [dir: string, from: string, to: string, port: string, options: Options];

type Asked = { readonly from: string; readonly to: string; readonly port: string };

function allowsCommand(io: Io, dir: string, asked: Asked, options: Options): ExitCode {
  if (options.catalogue !== undefined) return effectiveAllows(io, dir, asked, options);
  const port = parseOnePort(asked.port);
  if (!port) return badInput(io, [problem("USAGE", "", `"${asked.port}" is no port such as TCP/5432.`)]);
  if (options.output !== "text" && options.output !== "json")
    return badInput(io, [problem("USAGE", "--output", `"${options.output}" is neither text nor json.`)]);
  const world = readManifests(io, [dir], options);
  if (!world.ok) return badInput(io, world.problems);
  const question: Question = { from: asked.from, to: asked.to, port };
  const answers = ask(world.value, question);
  if (!answers.ok) return badInput(io, answers.problems);
  warn(io, world.value.warnings);
  const allowed = answers.value.some((answer) => answer.allowed);
  io.out(
    options.output === "json" ? renderJson(question, answers.value, allowed) : renderText(question, answers.value),
  );
  return allowed ? 0 : 3;
}

const renderJson = (question: Question, answers: readonly Answer[], allowed: boolean): string =>
  `${JSON.stringify(
    {
      allowed,
      from: question.from,
      to: question.to,
      port: portText(question),
      networks: answers.map((answer) => ({
        network: networkText(answer.network, "pod-network"),
        from: answer.source.text,
        to: answer.destination.text,
        allowed: answer.allowed,
        egress: doorReason(answer.verdict.egress),
        ingress: doorReason(answer.verdict.ingress),
        ...(answer.through
          ? {
              through: answer.through.map(
                ({ opening, service }) => `${opening.kind} ${opening.namespace}/${opening.name} by service ${service}`,
              ),
            }
          : {}),
      })),
    },
    null,
    2,
  )}\n`;

const portText = ({ port }: Question): string => `${port.protocol} ${port.port}`;

function renderText(question: Question, answers: readonly Answer[]): string {
  if (answers.length === 0)
    return `denied: ${question.from} => ${question.to} on ${portText(question)}\n  they share no network\n`;
  return answers.map((answer) => answerText(question, answer)).join("");
}

function answerText(question: Question, answer: Answer): string {
  const { source, destination, verdict, network } = answer;
  const where = network.kind === "pod-network" ? "" : ` in ${networkText(network, "")}`;
  const through = answer.through?.length === 0 ? ["  no Ingress or Route leads there"] : [];
  return [
    `${answer.allowed ? "allowed" : "denied"}: ${source.text} => ${destination.text} on ${portText(question)}${where}`,
    ...through,
    ...doorLines(verdict.egress, "egress").map((line) => `  egress:  ${line}`),
    ...doorLines(verdict.ingress, "ingress").map((line) => `  ingress: ${line}`),
    "",
  ].join("\n");
}
