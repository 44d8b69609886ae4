import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import type { FlowLine } from "../../domain/seen-flow.ts";
import { parseInstant } from "../../domain/instant.ts";
import { ok, refuse, type Result } from "../../domain/problem.ts";
import { hubbleLine } from "./hubble.ts";

/** It is shown on terminals: none of their controls. */
const name = Type.String({ pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,512}$" });

const OWN = Type.Object({
  from: name,
  to: name,
  port: Type.String({ pattern: "^(TCP|UDP|SCTP|tcp|udp|sctp)[/-]\\d{1,5}$" }),
  time: Type.Optional(Type.String()),
  verdict: Type.Optional(Type.Enum(["forwarded", "dropped"])),
  count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1e12 })),
});

const ownChecker = Compile(OWN);

/**
 * Reads one JSON line of a flow source: `{"from", "to", "port", "time"?, "verdict"?, "count"?}`, or an event as Hubble exports it.
 * Fields that are not needed are passed over. Refuses with FIELD_INVALID at `path`.
 */
export function readFlowLine(line: string, path: string): Result<FlowLine> {
  const value = parsed(line);
  if (ownChecker.Check(value) && isPort(value.port)) return own(value, path);
  return (
    hubbleLine(value, path) ??
    refuse("FIELD_INVALID", path, "This is no flow.", 'Write {"from": "shop/web", "to": "pay/db", "port": "TCP/5432"}.')
  );
}

function isPort(port: string): boolean {
  const number = Number(port.split(/[/-]/)[1]);
  return number >= 1 && number <= 65_535;
}

function own({ from, to, port, time, verdict = "forwarded", count = 1 }: Static<typeof OWN>, path: string) {
  const at = time === undefined ? ok(undefined) : parseInstant(time, path);
  if (!at.ok) return at;
  return ok({
    kind: "flow" as const,
    flow: { from, to, port: port.toUpperCase().replace("-", "/"), verdict, count, at: at.value },
  });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
