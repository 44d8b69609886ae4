import type { AuthorityStatus } from "../../wire/authority-status.ts";
import { badInput } from "../action.ts";
import type { ExitCode, Io } from "../io.ts";
import { table } from "../table.ts";
import type { CaTools, Where } from "./access.ts";

/** Shows every authority; exit code 3 where none is active. */
export async function showStatus(
  io: Io,
  tools: CaTools,
  where: Where & { readonly output: string },
): Promise<ExitCode> {
  const access = await tools.open(where);
  const status = access.ok ? await access.value.status() : access;
  if (!status.ok) return badInput(io, status.problems);
  io.out(where.output === "json" ? `${JSON.stringify(status.value)}\n` : statusText(status.value));
  return status.value.authorities.some(({ state }) => state === "active") ? 0 : 3;
}

function statusText({ trustDomain, sequence, paused, rotation, authorities }: AuthorityStatus): string {
  const rows = authorities.map(({ id, state, since, notAfter, waits, compromised }) => [
    id.slice(0, 16),
    compromised === undefined ? state : `${state}, STOLEN`,
    since,
    notAfter,
    waits,
  ]);
  const since = rotation.since === undefined ? "" : ` since ${rotation.since}`;
  return [
    `Trust domain ${trustDomain}, bundle ${sequence}${paused ? ", rotation paused" : ""}\n`,
    `Stage ${rotation.stage}${since}; next: ${rotation.next}\n`,
    table([["AUTHORITY", "STATE", "SINCE", "ENDS", "NEXT WHEN"], ...rows]),
  ].join("");
}
