import { request } from "node:https";
import { postOf } from "./load.ts";
import { type BenchPod, reviewOf } from "./reviews.ts";

/** Requests as they go over the wire, and the last patch that was answered, in base64. */
export type ReviewPairs = { readonly requests: readonly Buffer[]; readonly patch: string };

/** Reviews of Pods, two of each: to /mutate as they come, to /validate with the stamp that /mutate gave. */
export async function reviewPairs(
  port: number,
  authority: string,
  pods: readonly BenchPod[],
  dryRun = false,
): Promise<ReviewPairs> {
  const requests: Buffer[] = [];
  let patch = "";
  for (const [number, pod] of pods.entries()) {
    const body = reviewOf(pod, number, dryRun);
    const answer = JSON.parse(await post(port, authority, body)) as { response: { patch: string } };
    patch = answer.response.patch;
    for (const { path, value } of JSON.parse(Buffer.from(patch, "base64").toString()) as readonly Operation[])
      stamp(pod.metadata, path, value);
    requests.push(postOf("/mutate", body), postOf("/validate", reviewOf(pod, number, dryRun)));
  }
  return { requests, patch };
}

type Operation = { readonly path: string; readonly value: string };

function stamp(metadata: BenchPod["metadata"], path: string, value: string): void {
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
