import { performance } from "node:perf_hooks";
import { join } from "node:path";
import { problemLine } from "../domain/problem.ts";
import type { FolderState } from "../folder/watch.ts";
import type { ServerConfig } from "../wire/config.ts";

type Facts = {
  readonly config: ServerConfig;
  readonly port: number;
  readonly made: boolean;
  readonly state: FolderState;
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** What a person reads when the server is up: where it is, and what to try next. */
export function banner({ config, port, made, state, env }: Facts): string {
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  const base = `https://${host}:${port}`;
  const authority = join(config.state, "serving", "ca.crt");
  const signet = env["npm_lifecycle_event"] === undefined ? "signet" : "npm run -s signet --";
  const lines = [
    `Signet is ready after ${(performance.now() / 1000).toFixed(2)} s.`,
    `  webhooks   ${base}/mutate  ${base}/validate`,
    `  health     ${base}/readyz  ${base}/livez`,
    `  metrics    ${base}/metrics`,
    `  authority  ${authority}`,
    `  catalogue  ${config.catalogue}${made ? "  (new, with a worked example; edit it, it is read again by itself)" : ""}`,
    `  ledger     ${join(config.state, "ledger.db")}`,
    ...broken(state),
    "",
    "Try:",
    ...tries({ signet, base, authority, config, made }).map((line) => `  ${line}`),
    "",
  ];
  return `${lines.join("\n")}\n`;
}

function broken({ problems, snapshot }: FolderState): readonly string[] {
  if (problems.length === 0) return [];
  const what = snapshot ? "The newest state cannot be read" : "NOT READY: the catalogue cannot be read";
  return [
    "",
    `${what}; mend it, and it is read again by itself:`,
    ...problems.slice(0, 5).map((each) => `  ${problemLine(each)}`),
  ];
}

type Shown = Pick<Facts, "config" | "made"> & {
  readonly signet: string;
  readonly base: string;
  readonly authority: string;
};

function tries({ signet, base, authority, config, made }: Shown): readonly string[] {
  const example = join(config.state, "example");
  const review = made
    ? [
        `${signet} review ${join(example, "shop.yaml")} --catalogue ${config.catalogue}`,
        `${signet} review ${join(example, "stray.yaml")} --catalogue ${config.catalogue}`,
      ]
    : [`${signet} review YOUR-MANIFESTS/ --catalogue ${config.catalogue}`];
  return [...review, `curl --cacert ${authority} ${base}/readyz`];
}
