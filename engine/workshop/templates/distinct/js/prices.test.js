// Prices, natively: the plugin's own functions, with counters as the host keeps them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TestBench } from "tollgate-sdk/testing";

import { plugin } from "../src/plugin.js";

test("a conversation is charged once", () => {
  const bench = new TestBench(plugin, { price: "0.25" });
  const said = (conversation) => bench.event({ attributes: { conversation } });
  assert.equal(said("a"), "conversations: 1 at 0.25 = 0.25");
  assert.equal(said("a"), "nothing");
  assert.equal(said("b"), "conversations: 1 at 0.25 = 0.25");
});

test("an event without a conversation is held", () => {
  const bench = new TestBench(plugin, { price: "0.25" });
  assert.throws(() => bench.event(), {
    name: "Fault",
    message: "the event has no attribute `conversation`; send it with each event",
  });
});
