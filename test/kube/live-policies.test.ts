import { expect, test } from "vitest";
import { ok, refuse, type Result } from "../../src/domain/problem.ts";
import { LivePolicies } from "../../src/kube/live-policies.ts";
import type { Raw } from "../../src/wire/read-object.ts";
import { makeFakeClock } from "../fakes/clock.ts";
import { quietLog } from "../fakes/quiet-log.ts";

const POLICIES = {
  group: "networking.k8s.io",
  version: "v1",
  plural: "networkpolicies",
  kind: "NetworkPolicy",
  namespaced: true,
} as const;

type Listing = { readonly status: number; readonly body?: unknown };
const SERVED: Listing = { status: 200, body: { resources: [{ name: "networkpolicies" }] } };

/** The kinds that are followed, and those that are not though they are served, where the server answers so to what it serves, and to whether we may read it. */
async function seen(listing: Listing, review: () => Result<Raw>) {
  const policies = new LivePolicies({
    client: {
      call: async () => ({ headers: {}, body: undefined, ...listing }),
      create: async () => review(),
    },
    connection: { call: () => new Promise(() => {}), watch: () => new Promise(() => {}) } as never,
    clock: makeFakeClock(),
    log: quietLog,
    random: () => 0.5,
    tables: [{ resource: POLICIES }],
    onChange: () => undefined,
  });
  try {
    const { followed, unread } = await policies.look();
    return { followed: followed.map(({ kind }) => kind), unread: unread.map(({ kind }) => kind) };
  } catch (fault) {
    return (fault as Error).message;
  }
}

const may = (allowed: boolean) => () => ok<Raw>({ status: { allowed } });

test("what is served and may be read is followed; what is forbidden is told, and what is not there is nothing", async () => {
  expect([
    await seen(SERVED, may(true)),
    await seen(SERVED, may(false)),
    await seen({ status: 404 }, may(true)),
    await seen({ status: 200, body: { resources: [] } }, may(true)),
  ]).toEqual([
    { followed: ["NetworkPolicy"], unread: [] },
    { followed: [], unread: ["NetworkPolicy"] },
    { followed: [], unread: [] },
    { followed: [], unread: [] },
  ]);
});

test.each<[string, Listing, () => Result<Raw>, string]>([
  [
    "a server that is overrun",
    { status: 503, body: { message: "later" } },
    may(true),
    "GET /apis/networking.k8s.io/v1: 503 later",
  ],
  [
    "a listing that is none",
    { status: 200, body: "" },
    may(true),
    "GET /apis/networking.k8s.io/v1: 200 The API server gave no reason.",
  ],
  ["a right that could not be asked for", SERVED, () => refuse("API_FORBIDDEN", "", "not you"), "not you"],
])("%s is a fault, and nothing is taken for gone", async (_name, listing, review, said) => {
  expect(await seen(listing, review)).toBe(said);
});

test("one API that does not answer holds nothing up: what was followed goes on, and else it is unread", async () => {
  const down: Listing = { status: 503, body: { message: "later" } };
  const calico = { ...POLICIES, group: "projectcalico.org", version: "v3" };
  const state = { calico: down, own: SERVED };
  const policies = new LivePolicies({
    client: {
      call: async ({ path }) => ({
        headers: {},
        body: undefined,
        ...(path === "/apis/projectcalico.org/v3" ? state.calico : state.own),
      }),
      create: async () => may(true)(),
    },
    connection: { call: () => new Promise(() => {}), open: () => new Promise(() => {}) } as never,
    clock: makeFakeClock(),
    log: quietLog,
    random: () => 0.5,
    tables: [{ resource: POLICIES }, { resource: calico }],
    onChange: () => undefined,
  });
  const look = () => policies.look(new Set([calico]));
  expect(await look()).toEqual({ followed: [POLICIES], unread: [calico] });
  state.calico = SERVED;
  expect(await look()).toEqual({ followed: [POLICIES, calico], unread: [] });
  [state.calico, state.own] = [down, down];
  expect(await look()).toEqual({ followed: [POLICIES, calico], unread: [] });
  [state.calico, state.own] = [{ status: 404 }, SERVED];
  expect(await look()).toEqual({ followed: [POLICIES], unread: [] });
  state.calico = down;
  expect(await look()).toEqual({ followed: [POLICIES], unread: [calico] });
});

test("a kind that is only looked at, and that is never shown, is unread after a while and holds nothing up", async () => {
  const clock = makeFakeClock();
  const policies = new LivePolicies({
    client: { call: async () => ({ headers: {}, ...SERVED, body: SERVED.body }), create: async () => may(true)() },
    connection: { call: () => new Promise(() => {}), open: () => new Promise(() => {}) } as never,
    clock,
    log: quietLog,
    random: () => 0.5,
    tables: [{ resource: POLICIES }],
    onChange: () => undefined,
  });
  const told = async (lookedAt: ReadonlySet<typeof POLICIES>) => {
    const { followed, unread } = await policies.look(lookedAt);
    return { unread, synced: followed.every((each) => policies.synced(each)) };
  };
  const only = new Set([POLICIES]);
  expect(await told(only)).toEqual({ unread: [], synced: false });
  clock.advance(9_999);
  expect(await told(only)).toEqual({ unread: [], synced: false });
  clock.advance(1);
  expect(await told(only)).toEqual({ unread: [POLICIES], synced: true });
  expect(await told(new Set())).toEqual({ unread: [], synced: false });
});
