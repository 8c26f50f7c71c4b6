// What `included-overage` charges, case by case. `npm test` runs these natively.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TestBench } from "tollgate-sdk/testing";

import { plugin } from "./included-overage.js";

const REQUESTS = { included: "2", overage_price: "0.02", premium_routes: ["premium"], premium_surcharge: "0.05" };
const DOCUMENTS = { unit: "document", count: "documents", included: "10", overage_price: "0.5" };
const documents = (quantity) => ({ measures: { documents: quantity } });

test("events are free until the included ones are used", () => {
  const bench = new TestBench(plugin, REQUESTS);
  for (const [event, expected] of [
    [{}, "included: 1 = 0"],
    [{ route: "premium" }, "included: 1 = 0\npremium: 1 at 0.05 = 0.05"],
    [{}, "overage: 1 at 0.02 = 0.02"],
    [{ route: "premium" }, "overage: 1 at 0.02 = 0.02\npremium: 1 at 0.05 = 0.05"],
    [{ customer: "another" }, "included: 1 = 0"],
  ]) {
    assert.equal(bench.event(event), expected);
  }
});

test("an event that straddles the limit is split exactly", () => {
  const bench = new TestBench(plugin, DOCUMENTS);
  for (const [quantity, expected] of [
    ["7.5", "included: 7.5 = 0"],
    ["0", "nothing"],
    ["4", "included: 2.5 = 0\noverage: 1.5 at 0.5 = 0.75"],
    ["1", "overage: 1.0 at 0.5 = 0.50"],
  ]) {
    assert.equal(bench.event(documents(quantity)), expected);
  }
});

test("a batch costs what its events cost one by one", () => {
  const events = ["3", "4.25", "0", "6", "0.125", "9"].map(documents);
  const bench = new TestBench(plugin, DOCUMENTS);
  assert.deepEqual(
    new TestBench(plugin, DOCUMENTS).batch(events),
    events.map((event) => bench.event(event)),
  );
});

test("a period has its fee", () => {
  const bench = new TestBench(plugin, { ...DOCUMENTS, period: { fee: "20", minimum: "25" } });
  bench.event(documents("12"));
  assert.equal(bench.close(), "fee: 1 = 20\nminimum: 1 = 4.0");
});

test("settings that make no sense are named", () => {
  assert.throws(() => new TestBench(plugin, { overage_price: "1", included: "-1" }), {
    message: "/included: -1 is negative; use zero or more",
  });
  assert.throws(() => new TestBench(plugin, { overage_price: 0.5 }), {
    message: '/overage_price: a decimal in quotation marks belongs here, like "12.50"',
  });
});

test("what cannot be priced exactly is a fault", () => {
  const bench = new TestBench(plugin, { ...DOCUMENTS, overage_price: "0.1234567890123456789012345678" });
  assert.throws(() => bench.event(documents("11.3")), { name: "Fault", message: /more digits/ });
});
