import { yamlText } from "../yaml-text.ts";
import { GRPC_PORT, NAME } from "./names.ts";

/** What the component `istio-certificates` adds to the server's command line. */
export const GRPC_FLAGS: readonly string[] = ["--grpc-listen", `0.0.0.0:${GRPC_PORT}`];

/** What it opens: the port of the Pods, of the Service, and in the NetworkPolicy. */
export const grpcPatches = (): readonly object[] => [
  opened("Deployment", "/spec/template/spec/containers/0/ports/-", {
    name: "grpc",
    containerPort: GRPC_PORT,
    protocol: "TCP",
  }),
  opened("Service", "/spec/ports/-", { name: "grpc", port: GRPC_PORT, targetPort: "grpc", protocol: "TCP" }),
  opened("NetworkPolicy", "/spec/ingress/0/ports/-", { protocol: "TCP", port: GRPC_PORT }),
];

const opened = (kind: string, path: string, value: object): object => ({
  target: { kind, name: NAME },
  patch: yamlText([{ op: "add", path, value }]),
});
