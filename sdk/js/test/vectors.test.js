// The example plugin answers the contract's vectors natively, and decimals are what the vectors say.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { plugin } from "../../../examples/included-overage/js/included-overage.js";
import { Decimal, decimal, Fault } from "../src/index.js";

const read = (name) => JSON.parse(readFileSync(new URL(`../../../tests/contract/${name}.json`, import.meta.url), "utf8"));
const cases = (name) => read(`included-overage/${name}`);
const wordsOf = (texts) => texts.reduce((words, text) => (decimal(text).toWords(words), words), []);
const textsOf = (words) =>
  Array.from({ length: words.length / 2 }, (_, row) =>
    Decimal.fromWords(words[2 * row], words[2 * row + 1]).shortest().toString(),
  );

const frameOf = ({ rows, strings, times, texts, numbers }) => ({
  rows,
  strings,
  times: times.map(BigInt),
  texts: Object.entries(texts).map(([name, ids]) => ({ name, ids })),
  numbers: Object.entries(numbers).map(([name, decimals]) => ({ name, words: wordsOf(decimals) })),
});

const rated = (answer) => ({
  counts: answer.counts,
  lines: answer.lines,
  quantities: textsOf(answer.quantities),
  unit_prices: textsOf(answer.unitPrices),
  amounts: textsOf(answer.amounts),
  refusals: answer.refusals.map(({ event, code }) => [event, code]),
  faults: answer.faults.map(({ event }) => event),
});

test("describe", () => {
  const { units, lines, refusals } = plugin.describe();
  const renamed = units.map(({ groupBy, ...unit }) => ({ ...unit, group_by: groupBy }));
  assert.deepEqual({ units: renamed, lines, refusals }, cases("describe"));
});

test("check", () => {
  for (const { about, settings, problems } of cases("check")) {
    const found = plugin.check(JSON.stringify(settings)).map(({ pointer }) => pointer);
    assert.deepEqual(found.sort(), problems, about);
  }
});

test("meter", () => {
  for (const { about, settings, frame, metered } of cases("meter")) {
    const answer = plugin.meter(JSON.stringify(settings), frameOf(frame));
    const faults = answer.faults.map(({ event }) => event);
    assert.deepEqual({ ...answer, quantities: textsOf(answer.quantities), faults }, metered, about);
  }
});

test("rate", () => {
  for (const { about, settings, frame, counted, rated: expected } of cases("rate")) {
    const table = {
      counts: counted.counts,
      units: counted.units,
      quantities: wordsOf(counted.quantities),
      before: wordsOf(counted.before),
      after: wordsOf(counted.after),
    };
    assert.deepEqual(rated(plugin.rate(JSON.stringify(settings), frameOf(frame), table)), expected, about);
  }
});

test("close", () => {
  for (const { about, settings, frame, totals, rated: expected } of cases("close")) {
    const table = { ...totals, totals: wordsOf(totals.totals) };
    assert.deepEqual(rated(plugin.close(JSON.stringify(settings), frameOf(frame), table)), expected, about);
  }
});

const { forms, refused, arithmetic, rounded_to_nano: roundings } = read("decimals");

test("decimals have the words of the vectors", () => {
  for (const { text, words } of forms) {
    const found = wordsOf([text]);
    assert.deepEqual(found.map((word) => word.toString(16).padStart(16, "0")), words, text);
    assert.equal(Decimal.fromWords(...found).toString(), text);
  }
});

test("texts that are no decimals are refused", () => {
  for (const text of refused) {
    assert.throws(() => decimal(text), Fault, text);
  }
});

test("arithmetic is exact or refused", () => {
  const exactly = (operation) => {
    try {
      return operation().shortest().toString();
    } catch (error) {
      assert.ok(error instanceof Fault);
      return null;
    }
  };
  for (const { left, right, plus, minus, times, compared } of arithmetic) {
    const [a, b] = [decimal(left), decimal(right)];
    const found = [exactly(() => a.plus(b)), exactly(() => a.minus(b)), exactly(() => a.times(b)), a.compare(b)];
    assert.deepEqual(found, [plus, minus, times, compared], `${left} and ${right}`);
  }
});

test("amounts round half to even to nano", () => {
  for (const { value, rounded } of roundings) {
    assert.equal(decimal(value).roundedToNano().shortest().toString(), rounded, value);
  }
});

test("division rounds once", () => {
  for (const [dividend, divisor, places, quotient] of [
    ["1", "3", 4, "0.3333"],
    ["2", "3", 4, "0.6667"],
    ["1", "8", 2, "0.12"],
    ["3", "8", 2, "0.38"],
    ["-1", "8", 2, "-0.12"],
    ["1", "-3", 28, "-0.3333333333333333333333333333"],
    ["10", "0.5", 0, "20"],
  ]) {
    assert.equal(decimal(dividend).dividedByRounded(decimal(divisor), places).toString(), quotient);
  }
  assert.throws(() => decimal("1").dividedByRounded(Decimal.ZERO, 2), Fault);
});

test("a decimal does not become a Number", () => {
  assert.throws(() => decimal("1") + decimal("2"), Fault);
  assert.throws(() => decimal("1") < decimal("2"), Fault);
  assert.equal(`${decimal("1.50")}`, "1.50");
});
