import { type Catalogue, makeCatalogue } from "../domain/catalogue.ts";
import type { Exception } from "../domain/definitions.ts";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { ESCAPE, moreNeeded } from "../reconcile/approvals/second-person.ts";
import { tooLong } from "../reconcile/approvals/too-long.ts";
import { readDefinitions } from "../wire/definitions.ts";
import { SEGMENT_EXCEPTION } from "../wire/kinds/segment-exception.ts";
import { GROUP, VERSION } from "../wire/kinds/kind.ts";
import { readApiObject } from "../wire/objects.ts";
import type { Raw } from "../wire/read-object.ts";
import { yamlText } from "../wire/yaml-text.ts";
import { badInput } from "./action.ts";
import { readSnapshot } from "./approvals.ts";
import { permitText } from "./definition-views.ts";
import { endOf, type EndOptions } from "./exception-time.ts";
import type { ExitCode, Io } from "./io.ts";
import type { KubeAccess, KubeChoice, KubeResource, OpenKube } from "./kube-access.ts";
import { rawSentence } from "./must-not.ts";
import { spanText } from "./time-text.ts";

/** What a request says. */
export type RequestOptions = KubeChoice &
  EndOptions & {
    readonly namespace: string;
    readonly role: string;
    readonly permit?: string;
    readonly sentence?: string;
    readonly reason: string;
    readonly ticket?: string;
    readonly notBefore?: string;
    readonly print?: boolean;
  };

/** The resource of exceptions on an API server. */
export const EXCEPTIONS: KubeResource = {
  group: GROUP,
  version: VERSION,
  plural: SEGMENT_EXCEPTION.plural,
  kind: SEGMENT_EXCEPTION.kind,
  namespaced: true,
};

/** `signet exceptions request NAME`: writes the SegmentException, or prints it for a pull request. It grants nothing yet. */
export async function request(io: Io, open: OpenKube, name: string, options: RequestOptions): Promise<ExitCode> {
  const object = requestOf(name, options, io.now());
  const exception = object.ok ? readOne(object.value) : object;
  if (!object.ok || !exception.ok) return badInput(io, exception.ok ? [] : exception.problems);
  if (options.print) {
    io.out(yamlText(object.value));
    return 0;
  }
  const kube = await open(options);
  if (!kube.ok) return badInput(io, kube.problems);
  const done = await create(kube.value, object.value, exception.value, io.now());
  if (!done.ok) {
    badInput(io, done.problems);
    return 3;
  }
  io.out(done.value);
  return 0;
}

function requestOf(name: string, options: RequestOptions, now: Instant): Result<Raw> {
  const expires = endOf(options, now);
  const permit = rawPermit(options);
  if (!expires.ok) return expires;
  if (!permit.ok) return permit;
  return ok({
    apiVersion: `${GROUP}/${VERSION}`,
    kind: SEGMENT_EXCEPTION.kind,
    metadata: { namespace: options.namespace, name },
    spec: {
      permit: permit.value,
      workloads: { role: options.role },
      reason: options.reason,
      ...(options.ticket === undefined ? {} : { ticket: options.ticket }),
      ...(options.notBefore === undefined ? {} : { notBefore: options.notBefore }),
      expires: formatInstant(expires.value),
    },
  });
}

function rawPermit({ permit, sentence }: RequestOptions): Result<object> {
  if ((permit === undefined) === (sentence === undefined))
    return refuse(
      "USAGE",
      "--permit",
      "An exception permits one thing.",
      "Write --permit CHECK or --sentence 'A -> B on PORT'.",
    );
  if (sentence !== undefined) {
    const raw = rawSentence(sentence);
    if (raw) return ok({ sentence: raw });
    return refuse(
      "USAGE",
      "--sentence",
      `"${sentence}" is no sentence.`,
      "Write 'role:web -> role:orders-db on tcp/5432'.",
    );
  }
  const path = /^hostPath:(.*)$/.exec(permit ?? "")?.[1];
  return ok(path === undefined ? { check: permit } : { check: "hostPath", path });
}

/** The definition that an object would be; refused in the words that a folder is refused with. */
function readOne(raw: Raw): Result<Exception> {
  const object = readApiObject(raw, "request");
  if (!object.ok) return object;
  const read = readDefinitions([object.value]);
  if (!read.ok) return read;
  const [exception] = read.value.exceptions;
  return exception ? ok(exception) : refuse("USAGE", "", "That is no exception.");
}

async function create(kube: KubeAccess, object: Raw, exception: Exception, now: Instant): Promise<Result<string>> {
  const snapshot = await readSnapshot(kube);
  // Who may ask need not be allowed to see all definitions; what stands in the way is then said in the conditions.
  const blind = !snapshot.ok && snapshot.problems.every(({ code }) => code === "API_FORBIDDEN");
  if (!snapshot.ok && !blind) return snapshot;
  const catalogue = snapshot.ok ? makeCatalogue(snapshot.value.definitions, "") : undefined;
  const hindered = catalogue ? unfit(exception, catalogue, now) : ok(undefined);
  if (!hindered.ok) return hindered;
  const created = await kube.create(EXCEPTIONS, object);
  return created.ok ? ok(told(exception, catalogue, now)) : created;
}

/** What would never be granted is said at once, and not to whoever should approve it. */
function unfit(exception: Exception, catalogue: Catalogue, now: Instant): Result<undefined> {
  if (!catalogue.roles.has(exception.role))
    return refuse(
      "NOT_FOUND",
      "--role",
      `There is no role ${exception.role} in force.`,
      "`signet approvals` lists what waits; kubectl get workloadroles lists all.",
    );
  const long = tooLong(exception, catalogue, now);
  return long
    ? refuse("EXCEPTION_TOO_LONG", "--expires", long.message, "Let it end earlier, and extend it then.")
    : ok(undefined);
}

function told(exception: Exception, catalogue: Catalogue | undefined, now: Instant): string {
  const { namespace, name, role } = exception;
  const more = "check" in exception.permit ? ESCAPE : catalogue && moreNeeded(exception, catalogue.definitions);
  const second = more ? `\nIt needs one person more: ${more.why}.` : "";
  return (
    `Requested: ${namespace}/${name} permits ${permitText(exception)} for role ${role}, for ${spanText(exception.expires - now)}.\n` +
    `It counts for nothing until somebody else approves it: signet exceptions approve ${name} -n ${namespace}${second}\n` +
    `Workloads point to it: metadata.annotations: {signet.dev/exception: ${name}}\n`
  );
}
