// Decimals whose integer is a Number answer what BigInts would: on random operands about every edge of that form.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Decimal, Fault } from "../src/index.js";
import { decimalAt, decimalsOf, halvesOf, wordsOf } from "../src/words.js";

const CASES = 50_000;
const END = 1n << 96n;
const PLACES = [0, 0, 0, 2, 2, 3, 6, 9, 10, 12, 14, 15, 16, 27, 28];
// Around these lie the ends of what is held as a Number, as a word, and at all.
const EDGES = [0n, 1n, 10n, 1023n, 1024n, 1n << 31n, 1n << 32n, 1n << 52n, 1n << 53n, 1n << 63n, 1n << 64n, END - 1n];

// A generator with a seed, so that a failure can be seen again.
let state = 20_240_607n;
function random(end) {
  state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & ((1n << 64n) - 1n);
  return Number((state >> 33n) % BigInt(end));
}

const pick = (all) => all[random(all.length)];

// A decimal as a pair of BigInt and places, independent of the SDK.
function operand() {
  let magnitude;
  if (random(2) === 0) {
    magnitude = pick(EDGES) + BigInt(random(5) - 2);
  } else {
    magnitude = BigInt(random(2 ** 30)) ** BigInt(1 + random(3));
  }
  magnitude = magnitude < 0n ? -magnitude : magnitude % END;
  return { integer: random(3) === 0 ? -magnitude : magnitude, places: pick(PLACES) };
}

function textOf({ integer, places }) {
  const digits = (integer < 0n ? -integer : integer).toString().padStart(places + 1, "0");
  const fraction = places > 0 ? `.${digits.slice(-places)}` : "";
  return (integer < 0n ? "-" : "") + digits.slice(0, digits.length - places) + fraction;
}

// The value in its shortest form, or null where the contract cannot hold it.
function held({ integer, places }) {
  while (places > 0 && integer % 10n === 0n) {
    integer /= 10n;
    places -= 1;
  }
  const magnitude = integer < 0n ? -integer : integer;
  return magnitude < END && places <= 28 ? textOf({ integer, places }) : null;
}

function answered(operation) {
  try {
    const answer = operation();
    assert.ok(Number.isNaN(answer.small) ? typeof answer.big === "bigint" : Number.isSafeInteger(answer.small));
    assert.ok(!Object.is(answer.small, -0), "no zero is negative");
    return answer.shortest().toString();
  } catch (error) {
    assert.ok(error instanceof Fault, error);
    return null;
  }
}

function roundedTo({ integer, places }, wanted) {
  if (places <= wanted) {
    return { integer, places };
  }
  const divisor = 10n ** BigInt(places - wanted);
  const magnitude = integer < 0n ? -integer : integer;
  let quotient = magnitude / divisor;
  const twice = 2n * (magnitude % divisor);
  if (twice > divisor || (twice === divisor && quotient % 2n === 1n)) {
    quotient += 1n;
  }
  return { integer: integer < 0n ? -quotient : quotient, places: wanted };
}

test("every operation is what it is on BigInts", () => {
  for (let number = 0; number < CASES; number += 1) {
    const [a, b] = [operand(), operand()];
    const [left, right] = [Decimal.parse(textOf(a)), Decimal.parse(textOf(b))];
    const places = Math.max(a.places, b.places);
    const x = a.integer * 10n ** BigInt(places - a.places);
    const y = b.integer * 10n ** BigInt(places - b.places);
    const about = `${left} and ${right}`;
    assert.equal(answered(() => left.plus(right)), held({ integer: x + y, places }), `${about}: plus`);
    assert.equal(answered(() => left.minus(right)), held({ integer: x - y, places }), `${about}: minus`);
    const product = { integer: a.integer * b.integer, places: a.places + b.places };
    assert.equal(answered(() => left.times(right)), held(product), `${about}: times`);
    assert.equal(left.compare(right), x < y ? -1 : x > y ? 1 : 0, `${about}: compare`);
    assert.equal(answered(() => left.min(right)), held(x < y ? a : b), `${about}: min`);
    assert.equal(answered(() => left.max(right)), held(x > y ? a : b), `${about}: max`);
    const beyond = x > y ? { integer: x - y, places } : { integer: 0n, places: 0 };
    assert.equal(answered(() => left.beyond(right)), held(beyond), `${about}: beyond`);
    assert.equal(answered(() => left.negated()), held({ ...a, integer: -a.integer }), `${about}: negated`);
    const wanted = pick([0, 2, 9]);
    assert.equal(answered(() => left.rounded(wanted)), held(roundedTo(a, wanted)), `${left} to ${wanted} places`);
    assert.deepEqual([left.isZero, left.isNegative], [a.integer === 0n, a.integer < 0n], about);
  }
});

test("halves at the middle round to even", () => {
  for (const [value, places, rounded] of [
    ["0.5", 0, "0"], ["1.5", 0, "2"], ["-0.5", 0, "0"], ["-2.5", 0, "-2"], ["-1.5", 0, "-2"],
    ["900719925474099.15", 1, "900719925474099.2"], ["0.0000000005", 9, "0.000000000"],
  ]) {
    assert.equal(Decimal.parse(value).rounded(places).toString(), rounded, value);
  }
});

test("columns hold what was put into them", () => {
  const texts = Array.from({ length: 5_000 }, () => textOf(operand()).replace(/^-(0(\.0+)?)$/, "$1"));
  const words = wordsOf(texts.map(Decimal.parse));
  const separately = [];
  texts.forEach((text) => Decimal.parse(text).toWords(separately));
  assert.deepEqual([...words], separately);
  assert.deepEqual(decimalsOf(words).map(String), texts);
  assert.deepEqual(texts.map((_, row) => decimalAt(halvesOf(words), row).toString()), texts);
});

test("what is no decimal is refused, and never counted as a Number", () => {
  for (const other of [5, "5", 5n, null, undefined, {}]) {
    for (const operation of ["plus", "minus", "times"]) {
      assert.throws(() => Decimal.ONE[operation](other), `${operation} ${String(other)}`);
    }
  }
});
