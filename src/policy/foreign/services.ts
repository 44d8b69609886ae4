import type { Opening, ServicePort, ServiceRecord } from "../model/world.ts";
import { at, type Field, items, keysOf, optionalText, optionalWhole, present, requiredText, textMap } from "./field.ts";
import { type Opened, requiredName } from "./object.ts";
import { readProtocol } from "./port-match.ts";

/** Reads a Service; undefined where it has no selector, so that its Pods are not known from the manifest. */
export function readService(opened: Opened): ServiceRecord | undefined {
  const spec = at(opened.root, "spec");
  const selector = at(spec, "selector");
  if (keysOf(selector).length === 0) return undefined;
  return {
    namespace: opened.namespace,
    name: requiredName(opened),
    selector: Object.entries(textMap(selector)).map(([key, value]) => ({ key, operator: "In", values: [value] })),
    ports: items(at(spec, "ports")).map(readServicePort),
  };
}

function readServicePort(field: Field): ServicePort {
  const name = optionalText(at(field, "name"));
  const port = optionalWhole(at(field, "port")) ?? 0;
  return {
    ...(name === undefined ? {} : { name }),
    port,
    target: numberOrName(at(field, "targetPort")) ?? port,
    protocol: readProtocol(at(field, "protocol")),
  };
}

const numberOrName = (field: Field): number | string | undefined =>
  typeof field.value === "string" ? field.value : optionalWhole(field);

/** Reads an Ingress: the default backend (`backend` before networking.k8s.io/v1) and that of each path. */
export function readIngress(opened: Opened): Opening {
  const spec = at(opened.root, "spec");
  const paths = items(at(spec, "rules")).flatMap((rule) => items(at(rule, "http", "paths")));
  const backends = [at(spec, "defaultBackend"), at(spec, "backend"), ...paths.map((path) => at(path, "backend"))];
  return {
    kind: "Ingress",
    namespace: opened.namespace,
    name: requiredName(opened),
    backends: backends.flatMap((backend) => readBackend(backend)),
    locate: opened.locate,
  };
}

/** `service.name` and `service.port`; the older `serviceName` and `servicePort` mean the same. */
function readBackend(field: Field): Opening["backends"] {
  const service = at(field, "service");
  const name = optionalText(at(service, "name")) ?? optionalText(at(field, "serviceName"));
  if (name === undefined) return [];
  const port =
    optionalText(at(service, "port", "name")) ??
    optionalWhole(at(service, "port", "number")) ??
    numberOrName(at(field, "servicePort"));
  return [port === undefined ? { service: name } : { service: name, port }];
}

/** Reads a route.openshift.io/v1 Route: `to`, and the alternate backends. */
export function readRoute(opened: Opened): Opening {
  const spec = at(opened.root, "spec");
  const port = numberOrName(at(spec, "port", "targetPort"));
  const targets = [at(spec, "to"), ...items(at(spec, "alternateBackends"))].filter(
    (target) => present(target) && (optionalText(at(target, "kind")) ?? "Service") === "Service",
  );
  return {
    kind: "Route",
    namespace: opened.namespace,
    name: requiredName(opened),
    backends: targets.map((target) => {
      const service = requiredText(at(target, "name"));
      return port === undefined ? { service } : { service, port };
    }),
    locate: opened.locate,
  };
}
