import { formatInstant, type Instant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { type Raw, rawAt, textAt } from "../wire/read-object.ts";
import { badInput } from "./action.ts";
import { EXCEPTIONS } from "./exception-request.ts";
import { endOf, type EndOptions } from "./exception-time.ts";
import type { ExitCode, Io } from "./io.ts";
import type { KubeAccess, KubeChoice, OpenKube } from "./kube-access.ts";

/** Which exception, and until when. */
export type ExtendOptions = KubeChoice & EndOptions & { readonly namespace: string; readonly ticket?: string };

/** `signet exceptions extend NAME`: a new generation with a later end. The old one stays in force until its own. */
export async function extend(io: Io, open: OpenKube, name: string, options: ExtendOptions): Promise<ExitCode> {
  const kube = await open(options);
  if (!kube.ok) return badInput(io, kube.problems);
  const done = await write(io, kube.value, name, options);
  if (done.ok) io.out(done.value);
  else badInput(io, done.problems);
  return done.ok ? 0 : done.problems.some(({ code }) => code === "USAGE" || code === "NOT_FOUND") ? 2 : 3;
}

async function write(io: Io, kube: KubeAccess, name: string, options: ExtendOptions): Promise<Result<string>> {
  const { namespace, ticket } = options;
  const found = await kube.get(EXCEPTIONS, { namespace, name });
  if (!found.ok) return found;
  const expires = endOf(options, io.now());
  if (!expires.ok) return expires;
  const later = laterThan(found.value, expires.value);
  if (!later.ok) return later;
  const resourceVersion = textAt(rawAt(found.value, "metadata"), "resourceVersion") ?? "";
  const spec = { expires: formatInstant(expires.value), ...(ticket === undefined ? {} : { ticket }) };
  const written = await kube.merge(EXCEPTIONS, { namespace, name }, { metadata: { resourceVersion }, spec });
  if (!written.ok) return written;
  return ok(
    `Asked for until ${spec.expires}. Somebody else approves it: signet exceptions approve ${name} -n ${namespace}\n` +
      `Until then what was approved before counts, to its own end.\n`,
  );
}

/** Ending earlier needs no extension: it is withdrawn. */
function laterThan(object: Raw, expires: Instant): Result<undefined> {
  const now = textAt(rawAt(object, "spec"), "expires") ?? "";
  if (expires > Date.parse(now)) return ok(undefined);
  return refuse("USAGE", "--expires", `It ends at ${now} already.`, "To end it earlier: signet exceptions end NAME.");
}
