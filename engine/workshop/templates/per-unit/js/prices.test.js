// Prices, natively: the plugin's own functions, with counters as the host keeps them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TestBench } from "tollgate-sdk/testing";

import { plugin } from "../src/plugin.js";

test("documents beyond the included ones are charged", () => {
  const bench = new TestBench(plugin, { price: "0.50", included: "10" });
  const documents = (number) => bench.event({ measures: { documents: number } });
  assert.equal(documents("8"), "nothing");
  assert.equal(documents("5"), "documents: 3 at 0.50 = 1.50");
});

test("a negative price is refused", () => {
  assert.throws(() => new TestBench(plugin, { price: "-1" }), { message: /^\/price: -1 is negative/ });
});
