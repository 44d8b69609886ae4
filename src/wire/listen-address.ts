import { ok, problem, refuseAll, type Result } from "../domain/problem.ts";

/** HOST:PORT as a pattern, an IPv6 address in brackets. */
export const LISTEN = "^(\\[[0-9a-fA-F:.]+\\]|[^:\\[\\]]+):[0-9]{1,5}$";

/** Reads HOST:PORT. */
export function readListen(listen: string): Result<{ readonly host: string; readonly port: number }> {
  const colon = listen.lastIndexOf(":");
  const host = listen.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  const port = Number(listen.slice(colon + 1));
  if (new RegExp(LISTEN).test(listen) && port <= 65_535) return ok({ host, port });
  return refuseAll([
    problem(
      "FIELD_INVALID",
      "listen",
      `"${listen}" is not HOST:PORT.`,
      "Write for example 127.0.0.1:8443, or [::1]:0.",
    ),
  ]);
}
