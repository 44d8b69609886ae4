import { request } from "node:https";
import { postOf } from "./load.ts";
import { type BenchPod, reviewOf } from "./reviews.ts";

/** Requests as they go over the wire, and the last patch that was answered, in base64. */
export type ReviewPairs = { readonly requests: readonly Buffer[]; readonly patch: string };

/** Reviews of Pods, two of each: to /mutate as they come, to /validate with the stamp that /mutate gave. */
export async function reviewPairs(port: number, authority: string, pods: readonly BenchPod[]): Promise<ReviewPairs> {
  const requests: Buffer[] = [];
  let patch = "";
  for (const [number, pod] of pods.entries()) {
    const body = reviewOf(pod, number);
    patch = await stampBy(port, authority, body, pod.metadata);
    requests.push(postOf("/mutate", body), postOf("/validate", reviewOf(pod, number)));
  }
  return { requests, patch };
}

type Metadata = Pick<BenchPod["metadata"], "labels" | "annotations">;
type Operation = { readonly path: string; readonly value: string };

/** Writes on metadata what /mutate answers to a review; gives the patch, in base64. */
export async function stampBy(port: number, authority: string, review: string, metadata: Metadata): Promise<string> {
  const { response } = JSON.parse(await post(port, authority, review)) as { response: { patch: string } };
  const operations = JSON.parse(Buffer.from(response.patch, "base64").toString()) as readonly Operation[];
  for (const { path, value } of operations) stamp(metadata, path, value);
  return response.patch;
}

function stamp(metadata: Metadata, path: string, value: string): void {
  const [, , map = "", key = ""] = path.split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  metadata[map === "labels" ? "labels" : "annotations"][key] = value;
}

function post(port: number, ca: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/json" };
    // A bench has nobody to be deceived by.
    const trust = ca === "" ? { rejectUnauthorized: false } : { ca };
    const options = { port, host: "127.0.0.1", path: "/mutate", method: "POST", headers, ...trust };
    const asked = request(options, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("end", () => resolve(text));
    });
    asked.on("error", reject);
    asked.end(body);
  });
}
