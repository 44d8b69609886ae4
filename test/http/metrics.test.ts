import { expect, test } from "vitest";
import { METRICS, renderMetricsPage } from "../../src/http/metrics-table.ts";
import { pod, review, startWeb } from "../fakes/web.ts";

test("docs/metrics.md is the table of metrics", async () => {
  await expect(renderMetricsPage()).toMatchFileSnapshot("../../docs/metrics.md");
});

test("what /metrics answers is what the table says: every name, its type, its labels, and nothing else", async () => {
  const web = await startWeb("http");
  await web.request.post("/mutate").type("json").send(review());
  await web.request.post("/validate").type("json").send(review());
  await web.request.post("/validate").type("json").send("{}");
  await web.request.get("/nowhere");
  const { text, type } = await web.request.get("/metrics");
  await web.stop();
  expect(type).toBe("text/plain");
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name, kind]));
  expect(types).toEqual(new Map(Object.entries(METRICS).map(([name, { type: kind }]) => [name, kind])));
  for (const [name, labels] of samples(text)) {
    const known = METRICS[name as keyof typeof METRICS];
    expect([name, ...labels.filter((label) => label !== "le")]).toEqual([name, ...Object.keys(known.labels)]);
  }
});

test("reviews are counted by webhook and outcome, and timed", async () => {
  const web = await startWeb("http");
  for (const body of [review(), review({ uid: "b" })]) await web.request.post("/mutate").type("json").send(body);
  await web.request.post("/validate").type("json").send(review());
  await web.request
    .post("/validate")
    .type("json")
    .send(review({ operation: "DELETE", object: null }));
  const { text } = await web.request.get("/metrics");
  await web.stop();
  expect(
    text.split("\n").filter((line) => /^signet_(reviews_total|review_problems_total|review_seconds_count)/.test(line)),
  ).toEqual([
    'signet_reviews_total{webhook="mutate",outcome="admit"} 2',
    'signet_reviews_total{webhook="validate",outcome="deny"} 1',
    'signet_reviews_total{webhook="validate",outcome="skip"} 1',
    'signet_review_problems_total{code="STAMP_MISSING"} 1',
    'signet_review_seconds_count{webhook="mutate"} 2',
    'signet_review_seconds_count{webhook="validate"} 2',
  ]);
});

test("nothing that a caller sends becomes a label", async () => {
  const web = await startWeb("http");
  const odd = review({
    uid: "s3cret-uid",
    namespace: "s3cret-ns",
    userInfo: { username: "s3cret-user" },
    object: pod({ name: "s3cret" }),
  });
  await web.request.post("/validate").type("json").send(odd);
  await web.request.post("/s3cret-path").send({});
  await web.request.post("/validate").type("json").send('{"kind":"s3cret"}');
  const { text } = await web.request.get("/metrics");
  await web.stop();
  expect(text).not.toContain("s3cret");
});

test("two servers in one process keep their own figures", async () => {
  const [one, other] = await Promise.all([startWeb("http"), startWeb("http")]);
  await one.request.post("/mutate").type("json").send(review());
  const texts = await Promise.all([one, other].map(async (web) => (await web.request.get("/metrics")).text));
  await Promise.all([one.stop(), other.stop()]);
  expect(texts.map((text) => text.includes("signet_reviews_total{"))).toEqual([true, false]);
});

/** Name of the metric and names of the labels of each sample. */
function samples(text: string): readonly (readonly [name: string, labels: readonly string[]])[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name = "", , labels = ""] = /^([a-z_]+?)(_bucket|_sum|_count)?(?:\{(.*)\})? /.exec(line) ?? [];
      return [name, [...labels.matchAll(/([a-z]+)="/g)].map(([, label]) => label ?? "")] as const;
    });
}
