import { KINDS } from "../kinds.ts";
import { GROUP } from "../kinds/kind.ts";
import { yamlStream, yamlText } from "../yaml-text.ts";
import { accountManifests, flowSchemas, namespaceManifest, peopleManifests } from "./account.ts";
import { admissionPolicies } from "./admission-policies.ts";
import { CERTIFICATE_FOLDER, certManagerManifests, certManagerPatches } from "./cert-manager.ts";
import { dashboardManifest } from "./dashboard.ts";
import { FEDERATION_PERMISSIONS } from "./federation-permissions.ts";
import { HELPER_SEGMENT, helperRole, HELPERS } from "./helper-roles.ts";
import { COMMON_LABELS, type Manifest } from "./manifest.ts";
import { monitoringManifests } from "./monitoring.ts";
import { BUNDLE_FLAGS, bundlePatches, bundleService, GRPC_FLAGS, grpcPatches } from "./further-ports.ts";
import { LOCAL_URL, NAME, VIRT_CONTROLLERS } from "./names.ts";
import { type Permission, SIGNER_PERMISSIONS } from "./permissions.ts";
import { PUBLISHING_PERMISSIONS } from "./publishing-permissions.ts";
import { accountRoles } from "./rbac.ts";
import {
  CLIENTS_FOLDER,
  clientsPatch,
  databaseNetworkPolicy,
  databasePatches,
  GRANT_FLAGS,
  grantPatch,
  networkPolicy,
  serverArguments,
  serverManifests,
} from "./server.ts";
import { exemptingPatches, virtControllerPatch, webhookConfigurations } from "./webhooks.ts";

/** A folder that `kubectl apply -k` takes: files of objects, and what its kustomization says. */
type Folder = {
  readonly path: string;
  readonly about: string;
  readonly files: Readonly<Record<string, readonly Manifest[]>>;
  /** A Component adds to whatever overlay names it. */
  readonly kind?: "Component";
  /** Other folders, relative to this one. */
  readonly folders?: readonly string[];
  readonly rest?: Readonly<Record<string, unknown>>;
};

const MADE = "Made by `npm run manifests` from src/wire/manifests; edits are lost.";
const DATABASE_NAMESPACE = "signet-database";

/** Where no component says so nobody makes launchers: whoever may make a namespace may make any account in it. */
const webhooks = (reach: Parameters<typeof webhookConfigurations>[0]["reach"]) =>
  webhookConfigurations({ reach, virtControllers: [] });

/** Strategic merge knows no conditions of webhooks yet, so components patch by position; `which` is the configuration. */
const webhookPatch = (which: "Mutating" | "Validating", patch: readonly object[]) => ({
  target: { kind: `${which}WebhookConfiguration`, name: NAME },
  patch: yamlText(patch),
});

const crds: Folder = {
  path: "crds",
  about: "Signet's eight kinds.",
  files: {},
  folders: KINDS.map(({ plural }) => `${plural}.${GROUP}.yaml`).sort(),
};

/** Each policy with its binding in one file, named after both. */
const guards: Folder = {
  path: "guards",
  about: "Admission policies that hold while the webhooks are down: stamps, editors, approvals.",
  files: Object.fromEntries(
    Map.groupBy(
      admissionPolicies(),
      ({ kind, metadata }) => `${kind.startsWith("Mutating") ? "mutating-" : ""}${metadata.name}`,
    ),
  ),
};

/** On everything, wherever it comes from: uninstalling goes by this label. */
const LABELLED = { labels: [{ pairs: { "app.kubernetes.io/part-of": COMMON_LABELS["app.kubernetes.io/part-of"] } }] };

const base = (version: string): readonly Folder[] => [
  {
    path: "base",
    about: "All of Signet in a cluster.",
    files: {},
    folders: ["account", "../crds", "../guards", "server", "webhooks"],
    rest: LABELLED,
  },
  {
    path: "base/account",
    about: "Signet's namespace and account, and roles for people.",
    files: {
      namespace: [namespaceManifest()],
      account: accountManifests(),
      people: peopleManifests(),
      "flow-schemas": flowSchemas(),
    },
  },
  {
    path: "base/server",
    about: "The server in the cluster.",
    files: { server: serverManifests(version), "network-policy": [networkPolicy()] },
  },
  {
    path: "base/webhooks",
    about: "What the API server asks Signet, by its Service.",
    files: { webhooks: webhooks({ by: "service" }) },
  },
];

const overlays = (version: string): readonly Folder[] => [
  {
    path: "overlays/in-cluster",
    about: "Signet in the cluster that it guards. Set the image's registry here.",
    files: {},
    folders: ["../../base"],
    rest: { images: [{ name: NAME, newName: NAME, newTag: version }] },
  },
  {
    path: "overlays/by-url",
    about: `Signet beside the API server, at ${LOCAL_URL}: no Deployment; for trying and for tests.`,
    files: { webhooks: webhooks({ by: "url", url: LOCAL_URL }) },
    folders: ["../../base/account", "../../crds", "../../guards"],
    rest: LABELLED,
  },
];

function database(): Folder {
  const [mutating = [], validating = []] = exemptingPatches(DATABASE_NAMESPACE);
  const about = `Signet's PostgreSQL lives in the namespace ${DATABASE_NAMESPACE}, which must never wait for Signet.`;
  const exempting = [webhookPatch("Mutating", mutating), webhookPatch("Validating", validating)];
  const patched = patching("database", about, [...databasePatches(DATABASE_NAMESPACE), ...exempting]);
  return { ...patched, files: { database: [databaseNetworkPolicy(DATABASE_NAMESPACE)] } };
}

/** A component that only patches what is there. */
const patching = (name: string, about: string, patches: readonly object[]): Folder => ({
  path: `components/${name}`,
  about,
  kind: "Component",
  files: {},
  rest: { patches },
});

/** Whose Pods may be launchers, one component for each way to install KubeVirt. */
const virtController = (name: string, whose: string, account: string): Folder =>
  patching(name, `KubeVirt's virt-controller as ${whose} installs it.`, [
    webhookPatch("Validating", virtControllerPatch([account])),
    serverArguments(["--virt-controller", account]),
  ]);

const signedGrants = (): Folder =>
  patching(
    "signed-grants",
    "Signed grants of exceptions: *.jws in the ConfigMap signet-grants, grant-keys.json in signet-grant-keys. docs/exceptions.md.",
    [grantPatch(), serverArguments(GRANT_FLAGS)],
  );

const istioCertificates = (): Folder =>
  patching(
    "istio-certificates",
    "Istio's certificate service over gRPC, for its agents and ztunnel: docs/install.md.",
    [...grpcPatches(), serverArguments(GRPC_FLAGS)],
  );

const bundleEndpoint = (): Folder => ({
  path: "components/bundle-endpoint",
  about: "Our bundle for other trust domains, by profile https_spiffe: docs/federation.md.",
  kind: "Component",
  files: { "bundle-endpoint": [bundleService()] },
  rest: { patches: [...bundlePatches(), serverArguments(BUNDLE_FLAGS)] },
});

/** A component that only grants rights: they are the switch. */
const granting = (name: string, about: string, permissions: readonly Permission[]): Folder => ({
  path: `components/${name}`,
  about,
  kind: "Component",
  files: { [name]: accountRoles(`signet-${name}`, permissions) },
});

/** One for each switch of publishing. */
const publishing = (): readonly Folder[] =>
  Object.entries(PUBLISHING_PERMISSIONS).map(([name, { about, permissions }]) =>
    granting(name, `${about} Where the cluster has these kinds.`, permissions),
  );

const components = (): readonly Folder[] => [
  granting(
    "signer",
    "Certificates for Pods, issued to kubelets (Kubernetes 1.37, or with the gates of PodCertificateRequest on).",
    SIGNER_PERMISSIONS,
  ),
  granting(
    "federation",
    "Bundles of other trust domains, fetched and published: docs/federation.md. Needs the component signer.",
    FEDERATION_PERMISSIONS,
  ),
  ...publishing(),
  {
    path: "components/monitoring",
    about: "For the Prometheus operator, and a dashboard for Grafana.",
    kind: "Component",
    files: { monitoring: monitoringManifests(), dashboard: [dashboardManifest()] },
  },
  database(),
  signedGrants(),
  istioCertificates(),
  bundleEndpoint(),
  {
    path: "components/cert-manager",
    about: "The serving certificate and caBundle by cert-manager, which must be installed.",
    kind: "Component",
    files: { "cert-manager": certManagerManifests() },
    rest: { patches: [...certManagerPatches(), serverArguments(["--certificate-folder", CERTIFICATE_FOLDER])] },
  },
  patching(
    "clients",
    "Only API servers with a client certificate of the authority in the ConfigMap signet-clients call the webhooks.",
    [clientsPatch(), serverArguments(["--client-ca", `${CLIENTS_FOLDER}/ca.crt`])],
  ),
  virtController("kubevirt", "KubeVirt", VIRT_CONTROLLERS.kubevirt),
  virtController("openshift-virtualization", "OpenShift Virtualization", VIRT_CONTROLLERS.openshift),
];

/** Roles for what other controllers create; below each other's side, so that one segment takes what it needs. */
const helperRoles = (): readonly Folder[] =>
  Object.entries(HELPERS).map(([name, { about, roles }]) => ({
    path: `helper-roles/${name}`,
    about: `${about} Put your segment for ${HELPER_SEGMENT}: docs/kubevirt.md.`,
    files: { roles: roles.map(helperRole) },
  }));

function kustomization({ about, kind, files, folders = [], rest = {} }: Folder): string {
  const resources = [...folders, ...Object.keys(files).map((name) => `${name}.yaml`)];
  const version = kind === undefined ? "v1beta1" : "v1alpha1";
  return `# ${about}\n# ${MADE}\n${yamlText({
    apiVersion: `kustomize.config.k8s.io/${version}`,
    kind: kind ?? "Kustomization",
    ...(resources.length === 0 ? {} : { resources }),
    ...rest,
  })}`;
}

const filesOf = (folder: Folder): readonly (readonly [string, string])[] => [
  [`manifests/${folder.path}/kustomization.yaml`, kustomization(folder)],
  ...Object.entries(folder.files).map(
    ([name, objects]) => [`manifests/${folder.path}/${name}.yaml`, `# ${MADE}\n${yamlStream(objects)}`] as const,
  ),
];

/** Path → text of every file of the installation but CRDs; `version` is the image's tag. */
export const manifestFiles = (version: string): ReadonlyMap<string, string> =>
  new Map([crds, guards, ...base(version), ...overlays(version), ...components(), ...helperRoles()].flatMap(filesOf));
