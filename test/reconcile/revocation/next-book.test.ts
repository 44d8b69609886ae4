import { expect, test } from "vitest";
import type { Restriction } from "../../../src/domain/definitions.ts";
import { type Known, nextBook, NO_REVOCATIONS } from "../../../src/reconcile/revocation/next-book.ts";
import { readRevocationBook, renderRevocationBook } from "../../../src/wire/revocation-book.ts";
import { must, NOON } from "../../fakes/judging.ts";

const HOUR = 3_600_000;
const restriction = (name: string, effect: Restriction["effect"] = "revoke", uid?: string): Restriction => ({
  name,
  ...(uid === undefined ? {} : { uid }),
  approval: { state: "unchecked" },
  target: { by: "role", name: "cart" },
  effect,
  reason: "r",
});
const issued = (serial: string, notAfter = NOON + 4 * HOUR) => ({ serial, authority: "aa", notAfter });
const known = (more: Partial<Known> = {}): Known => ({
  now: NOON,
  restrictions: [restriction("r-1")],
  named: () => [issued("4a01"), issued("4a02")],
  authorities: [],
  ...more,
});
const serials = (book: { readonly revoked: readonly { readonly serial: string }[] }) =>
  book.revoked.map(({ serial }) => serial);
const first = nextBook(NO_REVOCATIONS, known());

test("what a Restriction names is in the book, with its authority, since when, and for how long", () => {
  expect(first).toEqual({
    number: 1,
    thisUpdate: NOON,
    revoked: [
      { serial: "4a01", authority: "aa", by: "r-1", at: NOON, notAfter: NOON + 4 * HOUR, held: false },
      { serial: "4a02", authority: "aa", by: "r-1", at: NOON, notAfter: NOON + 4 * HOUR, held: false },
    ],
  });
});

test("a book in which nothing changes is left alone, and issued anew after an hour", () => {
  expect(nextBook(first, known({ now: NOON + HOUR - 1 }))).toBe(first);
  expect(nextBook(first, known({ now: NOON + HOUR }))).toEqual({ ...first, number: 2, thisUpdate: NOON + HOUR });
});

test("a book from later than now is written anew: by a list that does not hold yet nobody can check", () => {
  expect(nextBook(first, known({ now: NOON - 1 }))).toEqual({ ...first, number: 2, thisUpdate: NOON - 1000 });
});

const SERIAL = "4a010203040506070809101112131415";
const bySerial = (name = SERIAL): Restriction => ({ ...restriction("r-1"), target: { by: "serial", name } });
const AUTHORITIES = [
  { id: "aa", notAfter: NOON + 90 * HOUR },
  { id: "bb", notAfter: NOON + 180 * HOUR },
];

test("a serial number is on the list of every trusted authority, though no record of it is known here", () => {
  const line = { serial: `${SERIAL.slice(0, 16)}ffff`, authority: "bb", notAfter: NOON + HOUR };
  const none = known({ restrictions: [bySerial()], named: () => [], authorities: AUTHORITIES });
  const entry = { serial: SERIAL, by: "r-1", at: NOON, held: false };
  const both = [
    { ...entry, authority: "aa", notAfter: NOON + 90 * HOUR },
    { ...entry, authority: "bb", notAfter: NOON + 180 * HOUR },
  ];
  const book = nextBook(NO_REVOCATIONS, none);
  expect(book.revoked).toEqual(both);
  expect(nextBook(book, none)).toBe(book);
  expect(nextBook(book, { ...none, named: () => [line] }).revoked).toEqual([...both, { ...entry, ...line }]);
  const ended = { ...none, now: NOON + 90 * HOUR, restrictions: [bySerial()] };
  expect(nextBook(NO_REVOCATIONS, ended).revoked.map(({ authority }) => authority)).toEqual(["bb"]);
});

test("what is no serial number of 1 to 20 octets is on no list", () => {
  for (const name of ["4a0", `8${SERIAL.slice(1)}`, `00${SERIAL.slice(2)}`, `${SERIAL}0000000000`])
    expect(
      nextBook(NO_REVOCATIONS, known({ restrictions: [bySerial(name)], named: () => [], authorities: AUTHORITIES }))
        .revoked,
    ).toEqual([]);
});

test("an empty book is written once, for verifiers want a list that revokes nobody", () => {
  const empty = nextBook(NO_REVOCATIONS, known({ restrictions: [] }));
  expect([empty.number, empty.revoked, nextBook(empty, known({ restrictions: [], now: NOON + 1000 }))]).toEqual([
    1,
    [],
    empty,
  ]);
});

test("what is quarantined is held; two Restrictions name a certificate once", () => {
  const both = nextBook(
    NO_REVOCATIONS,
    known({ restrictions: [restriction("q", "quarantine", "u-1"), restriction("r")], named: () => [issued("4a01")] }),
  );
  expect(both.revoked).toEqual([
    { serial: "4a01", authority: "aa", by: "u-1", at: NOON, notAfter: NOON + 4 * HOUR, held: true },
  ]);
});

test("a lifted Restriction clears its certificates, and another of its name does not keep them", () => {
  const lifted = known({ restrictions: [restriction("r-1", "revoke", "new")], named: () => [], now: NOON + 60_000 });
  expect([serials(nextBook(first, lifted)), nextBook(first, lifted).number]).toEqual([[], 2]);
});

test("what another replica has just written stays for a minute, though its Restriction is not known here yet", () => {
  expect(serials(nextBook(first, known({ restrictions: [], now: NOON + 59_999 })))).toEqual(["4a01", "4a02"]);
});

test("what another replica has issued stays in the book", () => {
  const here = known({ named: () => [issued("4a03")], now: NOON + HOUR / 2 });
  expect(serials(nextBook(first, here))).toEqual(["4a01", "4a02", "4a03"]);
});

test("a certificate stays for one more list after it has ended, and then goes", () => {
  const later = (now: number) => serials(nextBook(first, known({ now, named: () => [] })));
  expect([later(NOON + 6 * HOUR - 1), later(NOON + 6 * HOUR)]).toEqual([["4a01", "4a02"], []]);
});

test("of more than there is place for, those that end last stay", () => {
  const many = Array.from({ length: 20_002 }, (_, index) =>
    issued((0x400000 + index).toString(16), NOON + HOUR + index),
  );
  const book = nextBook(NO_REVOCATIONS, known({ named: () => many }));
  expect([book.revoked.length, book.revoked[0]?.serial, book.revoked.at(-1)?.serial]).toEqual([
    20_000,
    "404e21",
    "400002",
  ]);
  const length = renderRevocationBook(
    nextBook(
      NO_REVOCATIONS,
      known({
        named: () =>
          many.map((each) => ({
            ...each,
            serial: each.serial.padStart(32, "4"),
            authority: "a".repeat(40),
            notAfter: NOON,
          })),
      }),
    ),
  ).length;
  expect(length).toBeLessThan(1024 * 1024);
});

test("a book is read as it was written, and anything else is refused", () => {
  expect(must(readRevocationBook(renderRevocationBook(first)))).toEqual(first);
  const wrong = ["", "{}", renderRevocationBook(first).replace('"groups"', '"extra":1,"groups"')];
  expect(wrong.map((text) => readRevocationBook(text).ok)).toEqual([false, false, false]);
});
