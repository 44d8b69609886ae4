import type { FastifyInstance } from "fastify";
import type { Meters } from "./metrics.ts";
import type { Services } from "./services.ts";

/**
 * `/livez`: the process answers. `/readyz`: it can give verdicts; 503 while it starts or drains, with a line for each check.
 * `/metrics`: Prometheus' text format.
 */
export function addHealth(app: FastifyInstance, services: Services, meters: Meters, draining: () => boolean): void {
  app.get("/livez", (_request, reply) => reply.type("text/plain").send("ok\n"));
  app.get("/readyz", (_request, reply) => {
    const { ok, text } = readiness(services, draining());
    return reply
      .code(ok ? 200 : 503)
      .type("text/plain")
      .header("Cache-Control", "no-store")
      .send(text);
  });
  app.get("/metrics", async (_request, reply) => reply.type(meters.contentType).send(await meters.render()));
}

/** One line a check, as the API server's own /readyz?verbose writes them. */
function readiness(services: Services, draining: boolean): { readonly ok: boolean; readonly text: string } {
  const checks = [
    ...services.checks(),
    { name: "serving", ok: !draining, detail: draining ? "draining: no new work is taken" : "" },
  ];
  const ok = checks.every((check) => check.ok);
  const lines = checks.map(
    (check) => `[${check.ok ? "+" : "-"}] ${check.name}${check.detail === "" ? "" : `: ${check.detail}`}`,
  );
  return { ok, text: `${lines.join("\n")}\n${ok ? "ready" : "not ready"}\n` };
}
