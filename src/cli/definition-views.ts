import type { Catalogue, NamespaceView } from "../domain/catalogue.ts";
import type { Approval, Exception, Role, Segment } from "../domain/definitions.ts";
import { exceptionState } from "../domain/exception-state.ts";
import { formatInstant, type Instant } from "../domain/instant.ts";
import type { LabelSelector } from "../domain/label-selector.ts";
import type { Source } from "../domain/problem.ts";
import { spanText } from "./time-text.ts";

/** `file:line`, or nothing where the source is not known. */
export const placeText = (source: Source | undefined): string => (source ? `${source.file}:${source.line}` : "");

/** How far a definition is approved, in words. */
export function approvalText(approval: Approval): string {
  if (approval.state === "unchecked") return "unchecked";
  if (approval.state === "unsigned") return "unsigned";
  if (approval.state === "missing") return `waits (generation ${approval.generation})`;
  const by = approval.by.length === 0 ? "" : ` by ${approval.by.join(", ")}`;
  return `generation ${approval.generation}${by}`;
}

const approvalView = (approval: Approval) => ({ ...approval });

/** A label selector as kubectl writes one: `app=web,tier in (a,b),!old`. */
export const selectorText = (selector: LabelSelector): string =>
  selector
    .map(({ key, operator, values }) => {
      if (operator === "Exists") return key;
      if (operator === "DoesNotExist") return `!${key}`;
      if (operator === "In" && values.length === 1) return `${key}=${values.join()}`;
      return `${key} ${operator === "In" ? "in" : "notin"} (${values.join(",")})`;
    })
    .join(",");

const namesOf = (views: ReadonlyMap<string, NamespaceView>, holds: (view: NamespaceView) => boolean): string[] =>
  [...views.values()]
    .filter(holds)
    .map(({ name }) => name)
    .sort();

/** One role as `--output json` prints it. `namespaces`: where it can be held; `serviceAccounts` null: all but `default`. */
export const roleView = (catalogue: Catalogue, role: Role) => ({
  name: role.name,
  segment: role.segment,
  namespaces: namesOf(catalogue.namespaces, ({ roles }) => roles.includes(role)),
  serviceAccounts: role.match.serviceAccounts ?? null,
  kinds: role.match.kinds,
  podLabels: selectorText(role.match.labels),
  createdBy: role.match.createdBy,
  labels: role.labels,
  permits: role.permits,
  delivery: role.delivery,
  approval: approvalView(role.approval),
  source: placeText(role.source),
});

/** One segment as `--output json` prints it. `namespaces`: all that it owns, by name or by label. */
export const segmentView = (catalogue: Catalogue, segment: Segment) => ({
  name: segment.name,
  environment: segment.environment ?? null,
  classification: segment.classification ?? null,
  owner: segment.owner ?? null,
  namespaces: namesOf(catalogue.namespaces, ({ segments }) => segments.includes(segment)),
  roles: catalogue.definitions.roles
    .filter((role) => role.segment === segment.name)
    .map(({ name }) => name)
    .sort(),
  mode: segment.mode,
  ...(segment.fallback ? { fallback: { ...segment.fallback, since: formatInstant(segment.fallback.since) } } : {}),
  canary: segment.canary,
  isolation: segment.isolation,
  intra: segment.intra,
  policyApproval: segment.policyApproval,
  leafMaxTtlSeconds: segment.leafMaxTtlSeconds ?? null,
  approval: approvalView(segment.approval),
  source: placeText(segment.source),
});

/** What an exception permits, in the words of `permits`, or the connection. */
export function permitText({ permit }: Exception): string {
  if ("check" in permit) return permit.path === undefined ? permit.check : `${permit.check}:${permit.path}`;
  return "a connection";
}

function leftText({ notBefore, expires }: Exception, now: Instant): string {
  if (now >= expires) return `ended ${spanText(now - expires)} ago`;
  if (notBefore !== undefined && now < notBefore) return `begins in ${spanText(notBefore - now)}`;
  return spanText(expires - now);
}

/** One exception as `--output json` prints it. `secondsLeft` is negative where it has ended. */
export const exceptionView = (catalogue: Catalogue, exception: Exception, now: Instant) => ({
  namespace: exception.namespace,
  name: exception.name,
  permits: permitText(exception),
  role: exception.role,
  state: exceptionState(catalogue, exception, now),
  notBefore: exception.notBefore === undefined ? null : formatInstant(exception.notBefore),
  expires: formatInstant(exception.expires),
  secondsLeft: Math.floor((exception.expires - now) / 1000),
  left: leftText(exception, now),
  reason: exception.reason,
  ticket: exception.ticket ?? null,
  approval: approvalView(exception.approval),
  source: placeText(exception.source),
});
