import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deliver, type Delivery, isDelivered, keyMode } from "../../src/admission/volumes.ts";
import type { Json } from "../../src/domain/json-patch.ts";
import { type KubeObject, readApiObject } from "../../src/wire/objects.ts";
import { type PodShape, readPodShape } from "../../src/wire/workloads/pod-shape.ts";
import { applyPatch } from "../fakes/json-patch.ts";
import { must } from "../fakes/judging.ts";

const DELIVERY: Delivery = {
  keyType: "ECDSAP256",
  maxExpirationSeconds: 3600,
  trustDomain: "example.org",
  federatesWith: [],
};

type Spec = { readonly [key: string]: Json };
const podOf = (spec: Spec, metadata: Spec = {}): KubeObject =>
  must(readApiObject({ apiVersion: "v1", kind: "Pod", metadata: { name: "p", ...metadata }, spec }, "test"));
const shapeOf = (spec: Spec, metadata: Spec = {}): PodShape => must(readPodShape(podOf(spec, metadata)));
const delivered = (spec: Spec, delivery = DELIVERY): Spec => {
  const pod = podOf(spec);
  const patch = must(deliver(must(readPodShape(pod)), delivery));
  return applyPatch(pod.raw, patch)["spec"] as Spec;
};
const refused = (spec: Spec): readonly string[] => {
  const result = deliver(shapeOf(spec), DELIVERY);
  return result.ok ? [] : result.problems.map(({ code, path }) => `${code} ${path}`);
};

const SVID = {
  name: "signet-svid",
  projected: {
    defaultMode: 0o444,
    sources: [
      {
        podCertificate: {
          signerName: "signet.dev/svid",
          keyType: "ECDSAP256",
          maxExpirationSeconds: 3600,
          credentialBundlePath: "svid.pem",
        },
      },
    ],
  },
};
const TRUST = {
  name: "signet-trust",
  projected: {
    defaultMode: 0o444,
    sources: [{ clusterTrustBundle: { signerName: "signet.dev/svid", labelSelector: {}, path: "bundle.pem" } }],
  },
};
const MOUNTS = [
  { name: "signet-svid", mountPath: "/var/run/secrets/signet.dev/svid", readOnly: true },
  { name: "signet-trust", mountPath: "/var/run/secrets/signet.dev/trust", readOnly: true },
];
const ENV = [
  { name: "SIGNET_SVID_BUNDLE", value: "/var/run/secrets/signet.dev/svid/svid.pem" },
  { name: "SIGNET_TRUST_BUNDLE", value: "/var/run/secrets/signet.dev/trust/bundle.pem" },
  { name: "SPIFFE_TRUST_DOMAIN", value: "example.org" },
];

test("a bare Pod gets two volumes, and each container both mounts and the variables", () => {
  expect(delivered({ containers: [{ name: "main" }], initContainers: [{ name: "init" }] })).toEqual({
    volumes: [SVID, TRUST],
    initContainers: [{ name: "init", volumeMounts: MOUNTS, env: ENV }],
    containers: [{ name: "main", volumeMounts: MOUNTS, env: ENV }],
  });
});

test("what is there stays, in its order, and what a container says of itself is not overwritten", () => {
  const own = { name: "SPIFFE_TRUST_DOMAIN", value: "mine.example" };
  const spec = delivered({
    volumes: [{ name: "data", emptyDir: {} }],
    containers: [{ name: "main", env: [own], volumeMounts: [{ name: "data", mountPath: "/data" }] }],
  });
  expect(spec).toEqual({
    volumes: [{ name: "data", emptyDir: {} }, SVID, TRUST],
    containers: [
      {
        name: "main",
        env: [own, ENV[0], ENV[1]],
        volumeMounts: [{ name: "data", mountPath: "/data" }, ...MOUNTS],
      },
    ],
  });
});

test("a container opts out for itself alone", () => {
  const out = { name: "out", env: [{ name: "SIGNET_INJECT", value: "false" }] };
  expect(delivered({ containers: [out, { name: "in" }] })["containers"]).toEqual([
    out,
    { name: "in", volumeMounts: MOUNTS, env: ENV },
  ]);
});

const LEFT_ALONE: readonly { name: string; spec: Spec; metadata?: Spec }[] = [
  {
    name: "a Pod whose containers all opt out",
    spec: { containers: [{ name: "a", env: [{ name: "SIGNET_INJECT", value: "false" }] }] },
  },
  { name: "a Windows Pod", spec: { os: { name: "windows" }, containers: [{ name: "a" }] } },
  {
    name: "a Pod for Windows nodes",
    spec: { nodeSelector: { "kubernetes.io/os": "windows" }, containers: [{ name: "a" }] },
  },
  {
    name: "a static Pod's mirror",
    spec: { containers: [{ name: "a" }] },
    metadata: { annotations: { "kubernetes.io/config.mirror": "x" } },
  },
];

for (const { name, spec, metadata } of LEFT_ALONE)
  test(`${name} is left alone`, () => expect(must(deliver(shapeOf(spec, metadata), DELIVERY))).toEqual([]));

test("SIGNET_INJECT opts out by the word false alone", () => {
  const env = [{ name: "SIGNET_INJECT", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }];
  expect(must(deliver(shapeOf({ containers: [{ name: "a", env }] }), DELIVERY)).length).toBeGreaterThan(0);
});

test("bundles of federated trust domains come in files of their own, and are waited for by nobody", () => {
  const { volumes } = delivered({ containers: [{ name: "a" }] }, { ...DELIVERY, federatesWith: ["partner"] });
  expect((volumes as readonly Json[])[1]).toEqual({
    name: "signet-trust",
    projected: {
      defaultMode: 0o444,
      sources: [
        ...TRUST.projected.sources,
        {
          clusterTrustBundle: {
            signerName: "signet.dev/federated.partner",
            labelSelector: {},
            path: "federated/partner.pem",
            optional: true,
          },
        },
      ],
    },
  });
});

describe("the mode of the key", () => {
  const ROWS: readonly { name: string; spec: Spec; mode: number }[] = [
    { name: "readable by all where nobody knows the user", spec: { containers: [{ name: "a" }] }, mode: 0o444 },
    {
      name: "the owner's where all containers have one user",
      spec: { securityContext: { runAsUser: 1000 }, containers: [{ name: "a" }, { name: "b" }] },
      mode: 0o400,
    },
    {
      name: "readable by all where one container has another user",
      spec: {
        securityContext: { runAsUser: 1000 },
        containers: [{ name: "a" }, { name: "b", securityContext: { runAsUser: 1001 } }],
      },
      mode: 0o444,
    },
    {
      name: "the group's where the Pod has one",
      spec: { securityContext: { fsGroup: 2000 }, containers: [{ name: "a" }] },
      mode: 0o440,
    },
  ];
  for (const { name, spec, mode } of ROWS) test(name, () => expect(keyMode(shapeOf(spec))).toBe(mode));
});

describe("what is in the way is refused", () => {
  const mount = (name: string, mountPath: string): Spec => ({
    containers: [{ name: "a", volumeMounts: [{ name, mountPath }] }],
  });
  const ROWS: readonly { name: string; spec: Spec; found: readonly string[] }[] = [
    {
      name: "a volume of that name",
      spec: { volumes: [{ name: "signet-svid", emptyDir: {} }], containers: [{ name: "a" }] },
      found: ["VOLUME_COLLISION spec.volumes[0].name"],
    },
    {
      name: "a volume that is ours but for a longer lifetime",
      spec: { volumes: [longer()], containers: [{ name: "a" }] },
      found: ["VOLUME_COLLISION spec.volumes[0].name"],
    },
    {
      name: "a mount at that place",
      spec: mount("x", "/var/run/secrets/signet.dev/svid"),
      found: ["VOLUME_COLLISION spec.containers[0].volumeMounts[0].mountPath"],
    },
    {
      name: "a mount below that place, however it is written",
      spec: mount("x", "/var/run//secrets/./signet.dev/trust/more/"),
      found: ["VOLUME_COLLISION spec.containers[0].volumeMounts[0].mountPath"],
    },
    {
      name: "our volume at another place",
      spec: mount("signet-svid", "/keys"),
      found: ["VOLUME_COLLISION spec.containers[0].volumeMounts[0].name"],
    },
    { name: "but not a mount above it", spec: mount("x", "/var/run/secrets"), found: [] },
    { name: "nor one beside it", spec: mount("x", "/var/run/secrets/signet.dev/svid2"), found: [] },
    {
      name: "nor one in a container that opts out",
      spec: {
        containers: [
          {
            name: "a",
            env: [{ name: "SIGNET_INJECT", value: "false" }],
            volumeMounts: [{ name: "x", mountPath: "/var/run/secrets/signet.dev/svid" }],
          },
        ],
      },
      found: [],
    },
  ];
  for (const { name, spec, found } of ROWS) test(name, () => expect(refused(spec)).toEqual(found));
});

function longer(): Json {
  const [source] = SVID.projected.sources;
  const podCertificate = { ...source?.podCertificate, maxExpirationSeconds: 7200 } as Json;
  return { ...SVID, projected: { ...SVID.projected, sources: [{ podCertificate }] } };
}

describe("a volume as delivered", () => {
  const ours = (raw: Json) => isDelivered({ name: "signet-svid", raw }, DELIVERY);
  const source = (change: Spec): Json => {
    const [first] = SVID.projected.sources;
    return {
      ...SVID,
      projected: { defaultMode: 0o444, sources: [{ podCertificate: { ...first?.podCertificate, ...change } as Json }] },
    };
  };
  const ROWS: readonly { name: string; raw: Json; ours: boolean }[] = [
    { name: "is ours", raw: SVID, ours: true },
    {
      name: "in a tighter mode too",
      raw: { ...SVID, projected: { ...SVID.projected, defaultMode: 0o400 } },
      ours: true,
    },
    {
      name: "not in another mode",
      raw: { ...SVID, projected: { ...SVID.projected, defaultMode: 0o777 } },
      ours: false,
    },
    { name: "not without a mode", raw: { ...SVID, projected: { sources: SVID.projected.sources } }, ours: false },
    { name: "not for a longer lifetime", raw: source({ maxExpirationSeconds: 7200 }), ours: false },
    { name: "not with another key", raw: source({ keyType: "RSA3072" }), ours: false },
    { name: "not with annotations for the signer", raw: source({ userAnnotations: { "a.b/c": "d" } }), ours: false },
    { name: "not as another kind of volume besides", raw: { ...SVID, hostPath: { path: "/" } }, ours: false },
  ];
  for (const row of ROWS) test(row.name, () => expect(ours(row.raw)).toBe(row.ours));
});

const text = fc.constantFrom("a", "signet-svid", "signet-trust", "SIGNET_INJECT", "SPIFFE_TRUST_DOMAIN", "false");
const place = fc.constantFrom(
  "/a",
  "/var/run/secrets/signet.dev/svid",
  "/var/run/secrets/signet.dev/trust/x",
  "/var/run",
);
const container: fc.Arbitrary<Json> = fc.record(
  {
    name: text,
    env: fc.array(fc.record({ name: text, value: text }), { maxLength: 3 }),
    volumeMounts: fc.array(fc.record({ name: text, mountPath: place }), { maxLength: 2 }),
    securityContext: fc.record({ runAsUser: fc.nat(2) }, { requiredKeys: [] }),
  },
  { requiredKeys: ["name"] },
);
const podSpec = fc.record(
  {
    containers: fc.array(container, { minLength: 1, maxLength: 3 }),
    initContainers: fc.array(container, { maxLength: 2 }),
    volumes: fc.array(fc.constantFrom<Json>(SVID, TRUST, { name: "a", emptyDir: {} }, { name: "signet-svid" }), {
      maxLength: 3,
    }),
    securityContext: fc.record({ fsGroup: fc.nat(2), runAsUser: fc.nat(2) }, { requiredKeys: [] }),
  },
  { requiredKeys: ["containers"] },
);

/** Delivery twice is delivery once; what was there is there still, before what was added. */
function holds(patchOf: typeof deliver) {
  return fc.property(podSpec, (generated) => {
    const spec: Spec = generated;
    const pod = podOf(spec);
    const first = patchOf(must(readPodShape(pod)), DELIVERY);
    if (!first.ok) return;
    const patched = applyPatch(pod.raw, first.value);
    const again = patchOf(must(readPodShape(must(readApiObject(patched, "test")))), DELIVERY);
    expect(must(again)).toEqual([]);
    const after = patched["spec"] as Spec;
    for (const list of ["volumes", "containers", "initContainers"])
      for (const [index, before] of ((spec[list] ?? []) as readonly Spec[]).entries())
        expect((after[list] as readonly Spec[])[index]).toMatchObject({ name: before["name"] ?? "" });
  });
}

test("delivery twice is delivery once, whatever the Pod", () => {
  fc.assert(holds(deliver), { numRuns: 500 });
});

test("the property bites: delivery that looks at no container finds no end", () => {
  const blind: typeof deliver = (shape, delivery) =>
    deliver({ ...shape, containers: shape.containers.map((one) => ({ ...one, env: one.env && [] })) }, delivery);
  expect(fc.check(holds(blind), { numRuns: 5000, endOnFailure: true }).failed).toBe(true);
});
