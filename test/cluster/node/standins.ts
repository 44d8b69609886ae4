import { parseAllDocuments } from "yaml";
import type { Image } from "./image.ts";
import type { Member } from "./tar.ts";

type Handler = { readonly port?: number };
type Container = {
  readonly image: string;
  readonly ports?: readonly { readonly containerPort: number }[];
  readonly readinessProbe?: { readonly grpc?: Handler; readonly httpGet?: Handler };
};
type Template = {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
  readonly spec: { readonly containers: readonly Container[]; readonly initContainers?: readonly Container[] };
};
type Workload = { readonly metadata: { readonly name: string }; readonly spec?: { readonly template?: Template } };

/** An application's manifests as far as its stand-ins need them: Deployments by name. */
export type Application = ReadonlyMap<string, Template>;

/** Reads the workloads of YAML documents. */
export function readApplication(yaml: string): Application {
  const objects = parseAllDocuments(yaml).map((document) => document.toJS() as Workload | null);
  return new Map(
    objects.flatMap((each) => (each?.spec?.template === undefined ? [] : [[each.metadata.name, each.spec.template]])),
  );
}

/**
 * Images under the very references that the manifests name, so that they run unmodified: each program is a stand-in that
 * listens on its container's ports and is well when it is asked. What a Pod runs first, looking for its neighbours by
 * names that nobody resolves on this node, ends at once.
 */
export function standInImages(application: Application, program: readonly Member[], done: Buffer): readonly Image[] {
  const templates = [...application.values()];
  const firsts = templates.flatMap(({ spec }) => spec.initContainers ?? []);
  const ended = ["sh", "done"].map((name) => ({ name: `bin/${name}`, data: done, mode: 0o755 }));
  return [
    ...templates
      .flatMap(({ spec }) => spec.containers)
      .map((container) => ({
        reference: fullReference(container.image),
        members: program,
        entrypoint: ["/bin/standin", ...argumentsOf(container)],
      })),
    ...firsts.map(({ image }) => ({ reference: fullReference(image), members: ended, entrypoint: ["/bin/done"] })),
  ];
}

/** The ports of a Deployment's containers, as probes name them. */
export const listensOf = (template: Template): readonly string[] =>
  template.spec.containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => `tcp/${containerPort}`));

function argumentsOf({ ports = [], readinessProbe }: Container): readonly string[] {
  const kind = readinessProbe?.grpc || readinessProbe?.httpGet ? "http" : "tcp";
  return ports.map(({ containerPort }) => `${kind}/${containerPort}`);
}

/** The reference as containerd keeps it: with its registry, and by digest alone where it has one (distribution/reference). */
export function fullReference(image: string): string {
  const [named = "", digest] = image.split("@");
  const [first = "", ...rest] = named.split("/");
  const registry = rest.length > 0 && /[.:]/.test(first) ? "" : rest.length > 0 ? "docker.io/" : "docker.io/library/";
  const full = `${registry}${named}`;
  if (digest !== undefined) return `${full.replace(/:[^/:]+$/, "")}@${digest}`;
  return /:[^/]+$/.test(full) ? full : `${full}:latest`;
}
