// What `recalls` charges, natively: `npm test`.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TestBench } from "tollgate-sdk/testing";

import { plugin } from "../src/plugin.js";

test("results are paid for, and failures up to a limit", () => {
  const bench = new TestBench(plugin, { booked_price: "4", call_price: "0.10", calls_charged: "2" });
  const call = (outcome) => bench.event({ attributes: { outcome } });
  assert.equal(call("booked"), "booked: 1 at 4 = 4");
  assert.equal(call("no answer"), "calls: 1 at 0.10 = 0.10");
  assert.equal(call("declined"), "calls: 1 at 0.10 = 0.10");
  assert.equal(call("no answer"), "nothing");
});
