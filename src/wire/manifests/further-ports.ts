import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import { yamlText } from "../yaml-text.ts";
import { manifest, type Manifest } from "./manifest.ts";
import { BUNDLE_PORT, BUNDLE_SERVICE, GRPC_PORT, NAME, SELECTOR } from "./names.ts";

/** What the component `istio-certificates` adds to the server's command line. */
export const GRPC_FLAGS: readonly string[] = ["--grpc-listen", `0.0.0.0:${GRPC_PORT}`];

/** What the component `bundle-endpoint` adds to it. */
export const BUNDLE_FLAGS: readonly string[] = ["--bundle-listen", `0.0.0.0:${BUNDLE_PORT}`];

/** A port of the Pods, open in the NetworkPolicy. */
const podPort = (name: string, port: number): readonly object[] => [
  opened("Deployment", "/spec/template/spec/containers/0/ports/-", { name, containerPort: port, protocol: "TCP" }),
  opened("NetworkPolicy", "/spec/ingress/0/ports/-", { protocol: "TCP", port }),
];

const opened = (kind: string, path: string, value: object): object => ({
  target: { kind, name: NAME },
  patch: yamlText([{ op: "add", path, value }]),
});

const servicePort = (name: string, port: number) => ({ name, port, targetPort: name, protocol: "TCP" });

/** What the component `istio-certificates` opens: the port of the Pods, in the NetworkPolicy, and of the Service. */
export const grpcPatches = (): readonly object[] => [
  ...podPort("grpc", GRPC_PORT),
  opened("Service", "/spec/ports/-", servicePort("grpc", GRPC_PORT)),
];

/** What the component `bundle-endpoint` opens of what is there. */
export const bundlePatches = (): readonly object[] => podPort("bundle", BUNDLE_PORT);

/** A Service of its own: what other domains may reach is the bundle alone. */
export const bundleService = (): Manifest =>
  manifest(
    ["v1", "Service"],
    { name: BUNDLE_SERVICE, namespace: SIGNET_NAMESPACE },
    { spec: { selector: SELECTOR, ports: [servicePort("bundle", BUNDLE_PORT)] } },
  );
