import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readClusterAccess } from "../../src/kube/config.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "signet-config-"));
});

afterEach(() => rm(folder, { recursive: true }));

const put = async (name: string, text: string): Promise<string> => {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
};

const IN_CLUSTER = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };

test("a Pod uses its own account, and reads a renewed token and authority", async () => {
  await put("ca.crt", "authority 1");
  await put("token", "token 1\n");
  await put("namespace", "signet-system");
  const read = await readClusterAccess({ env: IN_CLUSTER, accountFolder: folder });
  if (!read.ok) throw new Error("no access");
  expect(read.value.server.href).toBe("https://10.96.0.1/");
  expect(read.value.namespace).toBe("signet-system");
  expect(await read.value.credentials(false)).toEqual({ ca: "authority 1", token: "token 1", skipVerify: false });
  await put("token", "token 2");
  await put("ca.crt", "authority 2");
  expect(await read.value.credentials(false)).toEqual({ ca: "authority 2", token: "token 2", skipVerify: false });
});

test("an address of the sixth version stands in brackets", async () => {
  await put("token", "");
  const env = { ...IN_CLUSTER, KUBERNETES_SERVICE_HOST: "fd00::1" };
  const read = await readClusterAccess({ env, accountFolder: folder });
  expect(read.ok && read.value.server.href).toBe("https://[fd00::1]/");
});

const base64 = (text: string): string => Buffer.from(text).toString("base64");

const kubeconfig = (user: string) => `
apiVersion: v1
kind: Config
current-context: one
clusters:
- {name: c, cluster: {server: "https://kube.example.org:6443", certificate-authority-data: ${base64("authority")}, tls-server-name: kube}}
contexts:
- {name: one, context: {cluster: c, user: u, namespace: shop}}
- {name: two, context: {cluster: c, user: u}}
users:
- name: u
  user: ${user}
`;

test("a kubeconfig gives server, namespace, authority and client certificate", async () => {
  const user = `{client-certificate-data: ${base64("certificate")}, client-key-data: ${base64("key")}}`;
  const file = await put("config", kubeconfig(user));
  const read = await readClusterAccess({ env: { KUBECONFIG: file } });
  if (!read.ok) throw new Error("no access");
  expect(read.value.server.href).toBe("https://kube.example.org:6443/");
  expect(read.value.namespace).toBe("shop");
  expect(await read.value.credentials(false)).toEqual({
    ca: "authority",
    cert: "certificate",
    key: "key",
    serverName: "kube",
    skipVerify: false,
  });
});

test("another context may be named", async () => {
  const file = await put("config", kubeconfig("{token: secret}"));
  const read = await readClusterAccess({ env: {}, kubeconfig: file, context: "two" });
  expect(read.ok && read.value.namespace).toBe("default");
  expect(read.ok && (await read.value.credentials(false))).toMatchObject({ token: "secret" });
});

test("a plugin gives the token", async () => {
  const credential = JSON.stringify({
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    status: { token: "from a plugin" },
  });
  const plugin = `{exec: {apiVersion: client.authentication.k8s.io/v1, command: ${process.execPath}, args: ["-e", 'console.log(${JSON.stringify(credential)})'], interactiveMode: Never}}`;
  const file = await put("config", kubeconfig(plugin));
  const read = await readClusterAccess({ env: {}, kubeconfig: file });
  expect(read.ok && (await read.value.credentials(false))).toMatchObject({ token: "from a plugin" });
});

test.each([
  { what: "a file that is not there", text: undefined },
  { what: "a file that is no kubeconfig", text: "{" },
])("$what is refused in words", async ({ text }) => {
  const file = text === undefined ? join(folder, "none") : await put("config", text);
  expect(await readClusterAccess({ env: { KUBECONFIG: file } })).toMatchObject({
    ok: false,
    problems: [{ code: "FILE_UNREADABLE", message: expect.stringContaining("The kubeconfig cannot be used") }],
  });
});

test("a proxy is refused, since requests would pass it by", async () => {
  const text = kubeconfig("{token: secret}").replace("tls-server-name: kube", "proxy-url: http://proxy:3128");
  const file = await put("config", text);
  expect(await readClusterAccess({ env: { KUBECONFIG: file } })).toMatchObject({ problems: [{ path: "proxy-url" }] });
});

test("without any configuration it says what to set", async () => {
  expect(await readClusterAccess({ env: { HOME: folder }, accountFolder: folder })).toMatchObject({
    ok: false,
    problems: [{ code: "NOT_FOUND", mend: "Set KUBECONFIG, or run in a Pod with a service account." }],
  });
});
