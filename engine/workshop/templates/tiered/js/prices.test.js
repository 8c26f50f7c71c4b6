// Prices, natively: the plugin's own functions, with counters as the host keeps them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TestBench } from "tollgate-sdk/testing";

import { plugin } from "../src/plugin.js";

test("an event across an edge pays both prices", () => {
  const bench = new TestBench(plugin, { tiers: [{ up_to: "10", price: "0.50" }, { price: "0.20" }] });
  const documents = (number) => bench.event({ measures: { documents: number } });
  assert.equal(documents("8"), "documents: 8 = 4.00");
  assert.equal(documents("5"), "documents: 5 = 1.60");
});

test("tiers rise and the last is open", () => {
  const tiers = [{ up_to: "10", price: "1" }, { up_to: "5", price: "1" }];
  assert.throws(() => new TestBench(plugin, { tiers }), { message: /^\/tiers\/1\/up_to: / });
});
