import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import type { FlowLine, FlowVerdict } from "../../domain/seen-flow.ts";
import { parseInstant } from "../../domain/instant.ts";
import { ok, type Result } from "../../domain/problem.ts";

/** Shown on terminals: none of their controls. */
const text = Type.Optional(
  Type.Union([Type.String({ pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]{0,512}$" }), Type.Null()]),
);
const maybe = <Shape extends Parameters<typeof Type.Object>[0]>(shape: Shape) =>
  Type.Optional(Type.Union([Type.Object(shape), Type.Null()]));

const END = maybe({
  namespace: text,
  pod_name: text,
  labels: Type.Optional(Type.Array(Type.String())),
  workloads: Type.Optional(Type.Array(Type.Object({ name: text }))),
});
const PORTED = maybe({ destination_port: Type.Integer({ minimum: 1, maximum: 65_535 }) });

const FLOW = Type.Object({
  time: text,
  verdict: Type.String(),
  is_reply: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  IP: maybe({ source: text, destination: text }),
  l4: maybe({ TCP: PORTED, UDP: PORTED, SCTP: PORTED }),
  source: END,
  destination: END,
});
type Flow = Static<typeof FLOW>;

const flowChecker = Compile(Type.Object({ flow: FLOW }));
const lossChecker = Compile(
  Type.Object({
    lost_events: Type.Object({
      num_events_lost: Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: "^\\d{1,15}$" })]),
    }),
  }),
);
const otherChecker = Compile(
  Type.Union(["node_status", "agent_event", "debug_event"].map((name) => Type.Object({ [name]: Type.Object({}) }))),
);

/**
 * Reads an event as `hubble observe -o jsonpb` and the exporter write it (Cilium api/v1/observer, ExportEvent; api/v1/flow, Flow);
 * undefined where it is none. An end is its workload, else its Pod, else its address. uint64 may come as text (ProtoJSON).
 */
export function hubbleLine(value: unknown, path: string): Result<FlowLine> | undefined {
  if (flowChecker.Check(value)) return flowLine(value.flow, path);
  if (lossChecker.Check(value)) return ok({ kind: "lost", count: Number(value.lost_events.num_events_lost) });
  return otherChecker.Check(value) ? leftOut("of other events") : undefined;
}

const leftOut = (what: string): Result<FlowLine> => ok({ kind: "leftOut", what });

function flowLine(flow: Flow, path: string): Result<FlowLine> {
  const verdict = VERDICTS[flow.verdict];
  if (verdict === undefined) return leftOut("without a verdict");
  const backwards = notForwards(flow, verdict);
  if (backwards !== undefined) return leftOut(backwards);
  const port = portOf(flow);
  if (port === undefined) return leftOut("without a port");
  if (isOfNode(flow.source)) return leftOut("of nodes with their own Pods");
  return between(flow, { port, verdict }, path);
}

/** Why a flow may not lead from its source: a reply does not, and of what was let through it can be unknown. */
function notForwards({ is_reply: isReply }: Flow, verdict: FlowVerdict): string | undefined {
  if (isReply === true) return "of replies";
  return verdict === "forwarded" && typeof isReply !== "boolean" ? "whose direction is not known" : undefined;
}

function between(
  { source, destination, IP, time }: Flow,
  seen: { readonly port: string; readonly verdict: FlowVerdict },
  path: string,
): Result<FlowLine> {
  const from = endOf(source, IP?.source);
  const to = endOf(destination, IP?.destination);
  if (from === undefined || to === undefined) return leftOut("without an end");
  const at = typeof time === "string" ? parseInstant(time, path) : ok(undefined);
  return at.ok ? ok({ kind: "flow", flow: { from, to, ...seen, count: 1, at: at.value } }) : at;
}

/** Cilium's verdicts that end a flow's way; what is only traced or translated meets another before it is through. */
const VERDICTS: Readonly<Record<string, FlowVerdict>> = {
  FORWARDED: "forwarded",
  REDIRECTED: "forwarded",
  AUDIT: "forwarded",
  DROPPED: "dropped",
  ERROR: "dropped",
};

function portOf({ l4 }: Flow): string | undefined {
  for (const protocol of ["TCP", "UDP", "SCTP"] as const) {
    const port = l4?.[protocol]?.destination_port;
    if (port !== undefined) return `${protocol}/${port}`;
  }
  return undefined;
}

/** A node may always reach the Pods it runs: probes of kubelet, which no policy closes. */
const isOfNode = (end: Flow["source"]): boolean => end?.labels?.includes("reserved:host") ?? false;

function endOf(end: Flow["source"], address: string | null | undefined): string | undefined {
  const name = end?.workloads?.[0]?.name || end?.pod_name;
  return name ? `${end?.namespace || "default"}/${name}` : address || undefined;
}
