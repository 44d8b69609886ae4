import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Member, tarOf } from "./tar.ts";

/** An image of one layer: its full reference, what lies in it, and what it runs. */
export type Image = {
  readonly reference: string;
  readonly members: readonly Member[];
  readonly entrypoint: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

/** The archive of an OCI image layout (OCI image spec 1.1, image-layout.md) that `ctr images import` takes; images with the same members share their layer. */
export function imageArchive(images: readonly Image[]): Buffer {
  const blobs = new Map<string, Buffer>();
  const layers = new Map<readonly Member[], Layer>();
  const manifests = images.map((image) => {
    const layer = layers.get(image.members) ?? makeLayer(image.members);
    layers.set(image.members, layer);
    blobs.set(layer.digest, layer.packed);
    const config = put(blobs, configOf(image, layer));
    const manifest = put(blobs, manifestOf(config, layer));
    return { ...manifest, mediaType: MANIFEST, annotations: annotationsOf(image.reference) };
  });
  const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests };
  return tarOf([
    { name: "oci-layout", data: json({ imageLayoutVersion: "1.0.0" }) },
    { name: "index.json", data: json(index) },
    ...[...blobs].map(([digest, data]) => ({ name: `blobs/sha256/${digest.slice(7)}`, data })),
  ]);
}

type Layer = { readonly packed: Buffer; readonly digest: string; readonly unpackedDigest: string };
type Descriptor = { readonly digest: string; readonly size: number };

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
const digestOf = (data: Buffer): string => `sha256:${createHash("sha256").update(data).digest("hex")}`;
const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));

function makeLayer(members: readonly Member[]): Layer {
  const plain = tarOf(members);
  const packed = gzipSync(plain, { level: 1 });
  return { packed, digest: digestOf(packed), unpackedDigest: digestOf(plain) };
}

function configOf({ entrypoint, env = {} }: Image, layer: Layer): object {
  const given = Object.entries({ PATH: "/bin", ...env }).map(([name, value]) => `${name}=${value}`);
  return {
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: "linux",
    config: { Entrypoint: entrypoint, Env: given },
    rootfs: { type: "layers", diff_ids: [layer.unpackedDigest] },
  };
}

function manifestOf(config: Descriptor, { digest, packed }: Layer): object {
  return {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest, size: packed.length }],
  };
}

function put(blobs: Map<string, Buffer>, value: object): Descriptor {
  const data = json(value);
  const digest = digestOf(data);
  blobs.set(digest, data);
  return { digest, size: data.length };
}

function annotationsOf(reference: string): Readonly<Record<string, string>> {
  return { "io.containerd.image.name": reference, "org.opencontainers.image.ref.name": reference };
}
