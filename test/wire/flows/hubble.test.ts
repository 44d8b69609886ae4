import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readFlowLine } from "../../../src/wire/flows/read-line.ts";

/** An event as the exporter of Cilium 1.20 writes it, fields left out that no reader asks for. */
const EVENT = {
  flow: {
    time: "2026-11-29T10:00:00.123456789Z",
    uuid: "b6a9f2d1-6f1c-4f0e-9d5e-000000000000",
    verdict: "FORWARDED",
    IP: { source: "10.99.0.10", destination: "10.99.0.11", ipVersion: "IPv4" },
    l4: { TCP: { source_port: 41_000, destination_port: 7070, flags: { SYN: true } } },
    source: {
      ID: 10,
      identity: 4711,
      namespace: "default",
      labels: ["k8s:app=frontend", "k8s:io.kubernetes.pod.namespace=default"],
      pod_name: "frontend-6f7d9-x2x4v",
      workloads: [{ name: "frontend", kind: "Deployment" }],
    },
    destination: { ID: 11, identity: 4712, namespace: "default", pod_name: "cartservice-0" },
    Type: "L3_L4",
    traffic_direction: "EGRESS",
    is_reply: false,
  },
  node_name: "n1",
  time: "2026-11-29T10:00:00.123456789Z",
};

const read = (event: unknown) => readFlowLine(JSON.stringify(event), "f:1");
const readWith = (change: object) => read({ ...EVENT, flow: { ...EVENT.flow, ...change } });
const flow = (change: object = {}) => ({
  ok: true,
  value: {
    kind: "flow",
    flow: {
      from: "default/frontend",
      to: "default/cartservice-0",
      port: "TCP/7070",
      verdict: "forwarded",
      count: 1,
      at: Date.parse("2026-11-29T10:00:00.123Z"),
      ...change,
    },
  },
});
const leftOut = (what: string) => ({ ok: true, value: { kind: "leftOut", what } });

describe("an event of Hubble's", () => {
  test("is between workloads, else Pods", () => expect(read(EVENT)).toEqual(flow()));

  test.each([
    ["what a proxy took up was let through", { verdict: "REDIRECTED" }, {}],
    ["what a policy only audits was let through", { verdict: "AUDIT" }, {}],
    ["what was dropped", { verdict: "DROPPED", is_reply: null }, { verdict: "dropped" }],
    ["UDP", { l4: { UDP: { destination_port: 53 } } }, { port: "UDP/53" }],
    ["SCTP", { l4: { SCTP: { destination_port: 9 } } }, { port: "SCTP/9" }],
    ["an end outside is its address", { destination: { labels: ["reserved:world"] } }, { to: "10.99.0.11" }],
    ["an end that nothing is known of is its address", { source: undefined }, { from: "10.99.0.10" }],
    ["no time", { time: undefined }, { at: undefined }],
  ])("%s", (_, change, want) => expect(readWith(change)).toEqual(flow(want)));

  test.each([
    ["of replies", { is_reply: true }],
    ["whose direction is not known", { is_reply: null }],
    ["whose direction is not known", { is_reply: undefined }],
    ["without a port", { l4: { ICMPv4: { type: 8 } } }],
    ["without a port", { l4: undefined }],
    ["without a verdict", { verdict: "TRACED" }],
    ["without an end", { destination: {}, IP: { source: "10.99.0.10" } }],
    ["of nodes with their own Pods", { source: { identity: 1, labels: ["reserved:host"] } }],
  ])("is left out %s", (what, change) => expect(readWith(change)).toEqual(leftOut(what)));

  test("that others were lost is counted, as number or as ProtoJSON's text", () => {
    const lost = (num_events_lost: unknown) =>
      read({ lost_events: { source: "PERF_EVENT_RING_BUFFER", num_events_lost } });
    expect([lost(7), lost("12")]).toEqual([
      { ok: true, value: { kind: "lost", count: 7 } },
      { ok: true, value: { kind: "lost", count: 12 } },
    ]);
  });

  test("of a node or an agent is no flow", () => {
    expect(read({ node_status: { state_change: "NODE_CONNECTED" }, node_name: "n1" })).toEqual(
      leftOut("of other events"),
    );
    expect(read({ agent_event: { type: "AGENT_STARTED" } })).toEqual(leftOut("of other events"));
  });

  test.each([
    ["a port beyond all", { l4: { TCP: { destination_port: 65_536 } } }],
    ["a name that is none", { source: { pod_name: 7 } }],
    ["a name with a terminal's controls", { source: { pod_name: "a\u001b[2J" } }],
    ["no verdict", { verdict: undefined }],
  ])("with %s refuses", (_, change) => {
    expect(readWith(change)).toMatchObject({ ok: false, problems: [{ code: "FIELD_INVALID", path: "f:1" }] });
  });
});

test("any line is read or refused, whatever it holds", () => {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.record({
      flow: fc.record({
        verdict: fc.constantFrom("FORWARDED", "DROPPED"),
        source: fc.jsonValue(),
        l4: fc.jsonValue(),
        is_reply: fc.boolean(),
      }),
    }),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        value.map((each) => JSON.stringify(each)),
        fc.string(),
      ),
      (line) => {
        const result = readFlowLine(line, "f:1");
        if (!result.ok) expect(result.problems.map(({ code }) => code)).toEqual(["FIELD_INVALID"]);
        else if (result.value.kind === "flow") expect(result.value.flow.port).toMatch(/^(TCP|UDP|SCTP)\/\d{1,5}$/);
      },
    ),
  );
});
