import { expect, onTestFinished, test, vi } from "vitest";
import { IssuedCertificates } from "../../src/ca/issued-certificates.ts";
import { runLists } from "../../src/bin/issuing/run-lists.ts";
import { catalogueOf, NOON } from "../fakes/judging.ts";
import { SHOP_CATALOGUE } from "../fakes/ca.ts";
import { quietLog } from "../fakes/quiet-log.ts";
import { handClock, keeperOver, memoryVault, workAll } from "../fakes/vault.ts";

test("lists hold from the clock that the server goes by, whatever this machine's says", async () => {
  const [vault, keeper] = [memoryVault(), keeperOver(memoryVault(), handClock())];
  await workAll(keeper);
  const lists = runLists({
    vault,
    keys: { authorities: () => keeper.current(), tokens: () => [] },
    issued: new IssuedCertificates(),
    catalogue: () => catalogueOf(SHOP_CATALOGUE),
    now: () => NOON,
    log: quietLog,
    everyMs: 1,
  });
  onTestFinished(lists.stop);
  await vi.waitFor(() => expect(lists.current()).toBeDefined());
  expect(JSON.parse(vault.text ?? "")).toEqual({
    version: "signet.dev/revocations/v1",
    number: 1,
    thisUpdate: NOON / 1000,
    groups: [],
  });
});
