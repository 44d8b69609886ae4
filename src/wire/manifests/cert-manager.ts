import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import { yamlText } from "../yaml-text.ts";
import { type Manifest, manifest } from "./manifest.ts";
import { NAME, SERVICE_HOST } from "./names.ts";

const GROUP = "cert-manager.io/v1";
/** Where the server finds what cert-manager keeps. */
export const CERTIFICATE_FOLDER = "/etc/signet-certificate";
/** Of the authority, and of what it signs. */
const [AUTHORITY, SERVING] = ["signet-certificate-authority", "signet-certificate"] as const;

const inOwn = (name: string) => ({ name, namespace: SIGNET_NAMESPACE });
const issuer = (name: string, spec: object): Manifest => manifest([GROUP, "Issuer"], inOwn(name), { spec });
const certificate = (name: string, spec: object): Manifest =>
  manifest([GROUP, "Certificate"], inOwn(name), {
    spec: { secretName: name, privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" }, ...spec },
  });

/** What cert-manager makes: an authority that lasts, so that `caBundle` changes seldom, and the leaf for webhooks. */
export const certManagerManifests = (): readonly Manifest[] => [
  issuer("signet-self-signed", { selfSigned: {} }),
  certificate(AUTHORITY, {
    isCA: true,
    commonName: "Signet webhooks",
    duration: "87600h",
    issuerRef: { name: "signet-self-signed", kind: "Issuer" },
  }),
  issuer(NAME, { ca: { secretName: AUTHORITY } }),
  certificate(SERVING, {
    dnsNames: [SERVICE_HOST, `${SERVICE_HOST}.cluster.local`, "localhost"],
    ipAddresses: ["127.0.0.1"],
    usages: ["digital signature", "server auth"],
    duration: "2160h",
    renewBefore: "720h",
    issuerRef: { name: NAME, kind: "Issuer" },
  }),
];

const injected = { "cert-manager.io/inject-ca-from": `${SIGNET_NAMESPACE}/${SERVING}` };

/** What changes of the server, which mounts the Secret, and of its webhooks, whose `caBundle` cert-manager writes. */
export const certManagerPatches = (): readonly object[] => [
  ...["Mutating", "Validating"].map((which) => ({
    patch: yamlText({
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: `${which}WebhookConfiguration`,
      metadata: { name: NAME, annotations: injected },
    }),
  })),
  {
    target: { kind: "Deployment", name: NAME },
    patch: yamlText([
      {
        op: "add",
        path: "/spec/template/spec/volumes/-",
        value: { name: "certificate", secret: { secretName: SERVING, defaultMode: 0o440 } },
      },
      {
        op: "add",
        path: "/spec/template/spec/containers/0/volumeMounts/-",
        value: { name: "certificate", mountPath: CERTIFICATE_FOLDER, readOnly: true },
      },
    ]),
  },
];
