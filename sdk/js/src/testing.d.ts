// Types of the test bench.

import type { Plugin } from "./index.js";

/** An event for a test; numbers are texts, as in `{ measures: { pages: "1.5" } }`. */
export interface TestEvent {
  customer?: string;
  parent?: string;
  feature?: string;
  route?: string;
  model?: string;
  provider?: string;
  attributes?: Record<string, string>;
  measures?: Record<string, string>;
  networkCost?: string;
  time?: number | bigint;
}

/** Prices events natively, as the host would. Answers read `overage: 2 at 0.50 = 1.00`, one line of a bill a line. */
export class TestBench {
  /** Throws what is wrong with the settings. */
  constructor(plugin: Plugin, settings: unknown);
  problems(): { pointer: string; message: string }[];
  /** Prices one event; a fault is thrown. */
  event(event?: TestEvent): string;
  /** Prices events in one batch; the first fault is thrown. */
  batch(events: TestEvent[]): string[];
  /** Ends the customer's period, and begins a new one. */
  close(customer?: string): string;
}
