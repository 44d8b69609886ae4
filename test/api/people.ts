import { addApprovalsCommand } from "../../src/cli/approvals.ts";
import { addApproveCommands } from "../../src/cli/approve.ts";
import { APPROVABLE_KINDS, NAMESPACES } from "../../src/cli/approvable-kinds.ts";
import { addExceptionCommands } from "../../src/cli/exception-commands.ts";
import { addQuarantineCommand } from "../../src/cli/quarantine.ts";
import type { Io } from "../../src/cli/io.ts";
import type { KubeAccess, KubeName, KubeResource } from "../../src/cli/kube-access.ts";
import { runCli } from "../../src/cli/program.ts";
import { addTableCommands } from "../../src/cli/tables.ts";
import { ok, refuse, type Result } from "../../src/domain/problem.ts";
import { decideApprovals } from "../../src/reconcile/approvals/decide.ts";
import { readDefinitions } from "../../src/wire/definitions.ts";
import { readApiObject } from "../../src/wire/objects.ts";
import type { Raw } from "../../src/wire/read-object.ts";
import type { ApiAnswer } from "../cluster/api.ts";
import type { Cluster } from "../cluster/boot.ts";
import type { Actor } from "../cluster/users.ts";
import { must } from "../fakes/judging.ts";
import { jsonPatch, merge, post, SIGNET } from "./enforcing.ts";

const pathOf = ({ group, version, plural, namespaced }: KubeResource, { namespace, name }: KubeName): string =>
  `${group === "" ? "/api" : `/apis/${group}`}/${version}/${namespaced ? `namespaces/${namespace ?? ""}/` : ""}${plural}${name === "" ? "" : `/${name}`}`;

const read = ({ status, body }: ApiAnswer): Result<Raw> =>
  status < 300 ? ok(body as Raw) : refuse("NOT_FOUND", "", (body as { message: string }).message);

/** What bin/ provides over the client, here over the test's own requests as this caller. */
export const accessOf = (cluster: Cluster, who: Actor): KubeAccess => ({
  get: async (resource, name) => read(await cluster.request("GET", pathOf(resource, name), who)),
  list: async (resource) => {
    const { group, version, kind, plural } = resource;
    const path = `${group === "" ? "/api" : `/apis/${group}`}/${version}/${plural}`;
    const listed = read(await cluster.request("GET", path, who));
    if (!listed.ok) return listed;
    const apiVersion = group === "" ? version : `${group}/${version}`;
    return ok({ items: (listed.value["items"] as Raw[]).map((item) => ({ apiVersion, kind, ...item })) });
  },
  patchStatus: async (resource, name, patch) =>
    read(await jsonPatch(`${pathOf(resource, name)}/status`, patch)(cluster, who)),
  create: async (resource, object) => {
    const { namespace = "" } = object["metadata"] as { namespace?: string };
    return read(await post(pathOf(resource, { namespace, name: "" }), object)(cluster, who));
  },
  merge: async (resource, name, patch) => read(await merge(pathOf(resource, name), patch)(cluster, who)),
  remove: async (resource, name) => read(await cluster.request("DELETE", pathOf(resource, name), who)),
  whoAmI: async () => {
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const asked = read(
      await cluster.request("POST", path, {
        ...who,
        body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
      }),
    );
    if (!asked.ok) return asked;
    return ok((asked.value as { status: { userInfo: { username: string } } }).status.userInfo.username);
  },
});

/** Runs a command line as this caller; words are split at spaces. */
export async function signetAs(cluster: Cluster, who: Actor, line: string | readonly string[]) {
  const printed = { out: "", err: "" };
  const io: Io = {
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    color: false,
    now: () => Date.now(),
    env: {},
    readInputs: () => ok([]),
    writeFile: () => ok(undefined),
  };
  const open = () => Promise.resolve(ok(accessOf(cluster, who)));
  const words = typeof line === "string" ? line.split(" ") : line;
  const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));
  const quarantine = addQuarantineCommand(open, pause);
  const commands = [
    addTableCommands,
    addApproveCommands(open),
    addApprovalsCommand(open),
    addExceptionCommands(open),
    quarantine,
  ];
  const code = await runCli(io, words, commands);
  return { code, ...printed };
}

/** Lets the decider work as Signet's own account until nothing is left to do; the API server refuses nothing of it. */
export async function reconcile(cluster: Cluster): Promise<readonly string[]> {
  const done: string[] = [];
  for (let round = 0; round < 6; round++) {
    const kube = accessOf(cluster, SIGNET);
    const lists = await Promise.all(
      [NAMESPACES, ...APPROVABLE_KINDS.map(({ resource }) => resource)].map((resource) => kube.list(resource)),
    );
    const objects = lists.flatMap((list) => must(list).items).map((raw) => must(readApiObject(raw, "server")));
    const definitions = must(readDefinitions(objects));
    const actions = decideApprovals({ objects, definitions }, Date.now());
    if (actions.length === 0) return done;
    for (const { object, patch, do: what } of actions) {
      const resource = APPROVABLE_KINDS.find(({ kind }) => kind.kind === object.kind)?.resource;
      if (!resource) throw new Error(`${object.kind} is not approved`);
      const written = await kube.patchStatus(resource, object, patch);
      if (!written.ok) throw new Error(`${what} ${object.kind}/${object.name}: ${written.problems[0]?.message}`);
      done.push(`${what} ${object.kind}/${object.name}`);
    }
  }
  throw new Error("the decider does not come to rest");
}
